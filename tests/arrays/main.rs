//! Files of numbers in every form, each written here byte by byte, read through the public API.

mod forms;
mod heads;
mod hostile;
mod slices;
mod texts;
mod written;
