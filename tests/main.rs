//! The whole program, against stand-ins on loopback.
