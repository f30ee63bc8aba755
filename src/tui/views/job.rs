//! Work of a view that is done on another thread: at most one under way, and no answer to a
//! question that nobody asks any more.

use std::sync::Arc;

/// Whether a view waits for work.
#[derive(Debug, Default)]
pub struct Job(Option<Arc<()>>);

/// What the work carries, and its answer with it.
#[derive(Debug)]
pub struct Ticket(Arc<()>);

impl Job {
    pub const fn is_running(&self) -> bool {
        self.0.is_some()
    }

    /// Begins work; answers to what was begun before do not count any more.
    pub fn begin(&mut self) -> Ticket {
        let token = Arc::new(());
        self.0 = Some(Arc::clone(&token));
        Ticket(token)
    }

    /// An answer came. True when it is the one that is waited for.
    pub fn end(&mut self, ticket: &Ticket) -> bool {
        let own = self.0.as_ref().is_some_and(|t| Arc::ptr_eq(t, &ticket.0));
        if own {
            self.0 = None;
        }
        own
    }

    /// What is under way is not waited for any more.
    pub fn abandon(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_work_is_waited_for() {
        let mut job = Job::default();
        let (first, second) = (job.begin(), job.begin());
        assert!(!job.end(&first) && job.is_running());
        assert!(job.end(&second) && !job.is_running());
        assert!(!job.end(&second));
        let third = job.begin();
        job = Job::default();
        assert!(!job.end(&third));
    }
}
