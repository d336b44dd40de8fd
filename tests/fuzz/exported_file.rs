#![no_main]
#![allow(missing_docs, unreachable_pub, dead_code)]

#[path = "../it/support/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::exported_file(data));
