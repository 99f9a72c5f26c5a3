//! A coordinator that lies, and the honest agents of the same federation: see `entente_tests::hostile`.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use entente_tests::hostile;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [role, state_dir, address] = arguments.as_slice() else {
        return rehearsal::child::dispatch(&arguments).unwrap_or(ExitCode::from(2));
    };
    let address = address.to_str().and_then(|address| address.parse().ok());
    let Some(address) = address.filter(|_| role == rehearsal::child::COORDINATOR) else {
        return ExitCode::from(2);
    };
    std::thread::spawn(|| {
        let (mut input, mut bytes) = (std::io::stdin().lock(), [0; 64]);
        while input.read(&mut bytes).is_ok_and(|n| n > 0) {}
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let served = runtime.map_err(Into::into).and_then(|r| r.block_on(hostile::serve(Path::new(state_dir), address)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
