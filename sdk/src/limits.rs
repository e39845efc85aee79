#![doc = include_str!("../LIMITS.md")]
