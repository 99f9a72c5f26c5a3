//! The generated client and server over one stream, without a socket.

use std::pin::Pin;

use proto::client::CoordinatorClient;
use proto::server::{Coordinator, CoordinatorServer};
use proto::wire::{CoordinatorMessage, SiteMessage};
use proto::{FromAgent, MAX_MESSAGE_BYTES, ToAgent};
use secagg::{Digest, Masked, Signature};
use study::message::{Answer, FromSite, RoundResult, ToSite};
use tokio_stream::{Stream, StreamExt};
use tonic::{Code, Request, Response, Status, Streaming};

/// Returns the vector of every answer as if it were the sum.
struct Echo;

#[tonic::async_trait]
impl Coordinator for Echo {
    type AttendStream = Pin<Box<dyn Stream<Item = Result<CoordinatorMessage, Status>> + Send>>;

    async fn attend(&self, request: Request<Streaming<SiteMessage>>) -> Result<Response<Self::AttendStream>, Status> {
        let answers = request.into_inner().map(|message| Ok(echo(FromAgent::try_from(message?).unwrap()).into()));
        Ok(Response::new(Box::pin(answers)))
    }
}

fn echo(message: FromAgent) -> ToAgent {
    let FromAgent::Run { run, message: FromSite::Answer(answer) } = message else { panic!("no answer") };
    let Answer { epoch, round, q, masked, signature } = answer;
    let result = RoundResult { epoch, round, q, sum: masked, answers: Vec::new(), signature };
    ToAgent::Run { run, message: ToSite::RoundResult(result) }
}

/// 8 MiB of words: twice of what tonic accepts by default.
fn large() -> FromAgent {
    let mut masked = Masked::zero(512 * 1024);
    masked.words[512 * 1024 - 1] = u128::MAX;
    let (q, signature) = (Digest([1; 32]), Signature([2; 64]));
    FromAgent::Run {
        run: Digest([3; 32]),
        message: FromSite::Answer(Answer { epoch: 1, round: 2, q, masked, signature }),
    }
}

#[tokio::test]
async fn a_large_vector_passes_both_ways_within_the_limit() {
    let server = CoordinatorServer::new(Echo).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let mut client = CoordinatorClient::new(server).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let outgoing = tokio_stream::iter([large(), large()].map(SiteMessage::from));
    let mut incoming = client.attend(outgoing).await.unwrap().into_inner();
    for _ in 0..2 {
        let message = incoming.message().await.unwrap().unwrap();
        assert_eq!(ToAgent::try_from(message), Ok(echo(large())));
    }
    assert_eq!(incoming.message().await.unwrap(), None);
}

#[tokio::test]
async fn without_the_limit_it_does_not() {
    let server = CoordinatorServer::new(Echo).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let mut client = CoordinatorClient::new(server);
    let outgoing = tokio_stream::iter([SiteMessage::from(large())]);
    let mut incoming = client.attend(outgoing).await.unwrap().into_inner();
    assert_eq!(incoming.message().await.unwrap_err().code(), Code::OutOfRange);
}
