//! Memory that several threads share, so that large pictures are decoded one after another and small ones together.

use std::sync::{Condvar, Mutex, PoisonError};

/// So many bytes for all threads together.
pub(super) struct RoomBudget {
    whole: u64,
    free: Mutex<u64>,
    freed: Condvar,
}

/// A part of a budget, given back when it is dropped.
pub(super) struct RoomLease<'a> {
    budget: &'a RoomBudget,
    bytes: u64,
}

impl RoomBudget {
    /// A budget of `whole` bytes.
    pub(super) const fn new(whole: u64) -> Self {
        Self { whole, free: Mutex::new(whole), freed: Condvar::new() }
    }

    /// Waits until `bytes` of it are free, and takes them; who wants more than there is takes all of it. A thread that waits here
    /// may hold nothing that those it waits for need.
    pub(super) fn take(&self, bytes: u64) -> RoomLease<'_> {
        let bytes = bytes.min(self.whole);
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.freed.wait_while(free, |free| *free < bytes).unwrap_or_else(PoisonError::into_inner);
        *free -= bytes;
        RoomLease { budget: self, bytes }
    }
}

impl Drop for RoomLease<'_> {
    fn drop(&mut self) {
        *self.budget.free.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn threads_never_hold_more_than_the_whole_and_nobody_waits_for_ever() {
        let (budget, held, most) = (RoomBudget::new(100), AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let (budget, held, most) = (&budget, &held, &most);
                scope.spawn(move || {
                    for turn in 0..50 {
                        let wanted = (thread * 37 + turn * 11) % 130;
                        let lease = budget.take(wanted);
                        most.fetch_max(held.fetch_add(lease.bytes, Ordering::SeqCst) + lease.bytes, Ordering::SeqCst);
                        std::thread::yield_now();
                        held.fetch_sub(lease.bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.into_inner() <= 100);
        assert_eq!(budget.free.into_inner().unwrap(), 100);
    }
}
