//! Ctrl-C: the first asks a run to stop where it is, the second ends the program at once.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit_code::ExitCode;

static ASKED: AtomicBool = AtomicBool::new(false);

static LISTENING: Once = Once::new();

/// Listens for Ctrl-C from here on. Where that cannot be done, Ctrl-C ends the program as it always does.
pub(crate) fn listen() {
    LISTENING.call_once(install);
}

fn install() {
    let installed = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            leave();
        }
    });
    if let Err(error) = installed {
        tracing::warn!(%error, "cannot listen for Ctrl-C");
    }
}

/// Whether Ctrl-C was pressed.
pub(crate) fn is_asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

#[expect(clippy::disallowed_methods, reason = "the second Ctrl-C means now, whatever the main thread does")]
fn leave() {
    std::process::exit(i32::from(ExitCode::INTERRUPTED.number()));
}
