//! The program from outside.

mod commands;
