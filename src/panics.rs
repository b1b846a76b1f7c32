//! What becomes of panics.
//!
//! A process that panics ends its world with the verdict `panic`, and the message is in the report: nothing else is
//! said. Any other panic is our bug; `main` catches it and says so in words. So the hook prints nothing and keeps the
//! last panic for whoever reports it.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Mutex;

/// Where the last panic came from, `file:line:column`.
static LAST_PLACE: Mutex<Option<String>> = Mutex::new(None);

/// Makes panics silent.
pub(crate) fn silence() {
    panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let place = info.location().map(ToString::to_string);
        if let Ok(mut last) = LAST_PLACE.lock() {
            *last = place;
        }
    }));
}

/// Where the last panic came from, `file:line:column`; once.
pub(crate) fn take_place() -> Option<String> {
    LAST_PLACE.lock().ok()?.take()
}

/// Does `work`; where it panics, what the panic said and where it came from.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let place = take_place().map_or_else(String::new, |place| format!(" (at {place})"));
        format!("{}{place}", text_of(payload.as_ref()))
    })
}

fn text_of(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a panic without a text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caught_panic_says_what_and_where() {
        silence();
        let caught = catch(|| panic!("term went from {} to {}", 3, 2));
        let text = caught.expect_err("it panics");
        assert!(text.starts_with("term went from 3 to 2 (at src/panics.rs:"), "{text}");
        assert_eq!(catch(|| 5), Ok(5));
    }
}
