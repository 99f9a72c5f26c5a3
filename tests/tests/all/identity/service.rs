//! A service with one method, by hand: it answers who is calling, as the listener tells it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use coordinator::tls::PeerIdentity;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{self, uri::PathAndQuery};
use tonic::server::NamedService;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

/// Asks the coordinator at the other end of `channel` who is calling.
pub async fn who_am_i(channel: &Channel) -> Result<String, Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.map_err(|e| Status::from_error(e.into()))?;
    let path = PathAndQuery::from_static("/test.WhoAmI/Ask");
    let codec = ProstCodec::<(), String>::default();
    Ok(client.unary(Request::new(()), path, codec).await?.into_inner())
}

#[derive(Clone)]
pub struct WhoAmI;

impl NamedService for WhoAmI {
    const NAME: &'static str = "test.WhoAmI";
}

impl Service<http::Request<Body>> for WhoAmI {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut server = tonic::server::Grpc::new(ProstCodec::<String, ()>::default());
            Ok(server.unary(Answer, request).await)
        })
    }
}

struct Answer;

impl Service<Request<()>> for Answer {
    type Response = Response<String>;
    type Error = Status;
    type Future = std::future::Ready<Result<Response<String>, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let peer = request.extensions().get::<PeerIdentity>();
        std::future::ready(match peer {
            Some(peer) => Ok(Response::new(format!("{} {}", peer.site, secagg::Digest(peer.fingerprint)))),
            None => Err(Status::unauthenticated("nobody")),
        })
    }
}
