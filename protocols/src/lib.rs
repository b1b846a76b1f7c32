//! Protocol modules that run on the Splitbrain engine.
