//! `membership`: who is in the group.
