#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| keyfob_fuzz::body("address")(bytes));
