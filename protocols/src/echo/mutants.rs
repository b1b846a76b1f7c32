//! Echo gone wrong. See [`crate::mutant`].

crate::mutants! {
    /// A peer says back another value than it was told.
    WrongEcho = "wrong-echo", breaks ["answers-match"], source "the meaning of the service `echo`";
}
