#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| kickstart_parser_fuzz::pykickstart(text));
