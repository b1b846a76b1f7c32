//! Claims about reading, locating, reporting and overriding, on a scenario-like type.
