//! The real programs, driven: windows, browsers, the server's command line. One program for all of it, so that while one
//! test waits for a window another goes on.

mod access;
mod ask_moves;
mod broken_glass;
mod by_stick;
mod by_wifi;
mod contrast;
mod crash;
mod far_broken;
mod gate;
mod hie_program;
mod house;
mod interop;
mod operator_page;
mod packages;
mod page_files;
mod patient_phone;
mod patient_stranded;
mod practice;
mod shut_out;
mod story;
mod three_in_a_call;
mod two_laptops;
mod update_window;
mod vault_moves;
mod visit_broken;
mod week;
