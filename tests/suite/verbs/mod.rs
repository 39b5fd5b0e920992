//! The verbs as a person sees them: the real program, what it prints, and how it ends. One file for
//! each of them, or each few that go together; `kill` is about what a killed `cki` leaves behind,
//! `bad_input` about what nobody should have written.

mod bad_input;
mod build;
mod clone;
mod env;
mod read;
