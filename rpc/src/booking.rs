//! Booking: free times, holds on them, requests and the visits they become.
//!
//! Nobody books twice because `fieldcrm.reservations` cannot overlap. What a constraint cannot say, the buffer after a
//! visit and the way to the next one, core asks once more under the technician's lock.

pub mod appointment;
pub mod calendar;
pub mod hold;
pub mod plan;
pub mod process;
pub mod request;
pub mod schedule;
