//! What expires, as typed values: journeys and waiting pages. Counters and replay marks need no type.

pub mod journeys;
pub mod pushed;
pub mod waiting;
