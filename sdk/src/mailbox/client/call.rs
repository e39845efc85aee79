//! One request until it is answered.

use std::future::Future;

use super::error::ClientError;
use super::session::Session;
use crate::mailbox::error::MailboxError;
use crate::mailbox::wire::{self, Answer, Request};

/// How often a request is signed again because its challenge is out of date.
const RENEWALS: u8 = 2;

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<T> {
    /// Send this, and hand in what is answered.
    Send(Vec<u8>),
    /// It is answered.
    Done(T),
}

/// A request that is being made. The first one of a session, and now and then another, takes two
/// frames, because the mailbox gives a challenge first.
#[derive(Debug)]
pub struct Call<'s, T> {
    session: &'s mut Session,
    request: Request,
    read: fn(Answer) -> Option<T>,
    renewals: u8,
}

impl<'s, T> Call<'s, T> {
    pub(super) fn new(
        session: &'s mut Session,
        request: Request,
        read: fn(Answer) -> Option<T>,
    ) -> Self {
        Self { session, request, read, renewals: 0 }
    }

    /// The frame to send.
    ///
    /// # Errors
    ///
    /// [`ClientError::TooLarge`], [`ClientError::Signing`].
    pub fn frame(&self) -> Result<Vec<u8>, ClientError> {
        self.session.frame(&self.request)
    }

    /// Takes what was answered.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub fn step(&mut self, frame: &[u8]) -> Result<Step<T>, ClientError> {
        match wire::decode(frame).map_err(|_| ClientError::BadAnswer)? {
            Answer::Refused(MailboxError::Stale(challenge)) if self.renewals < RENEWALS => {
                self.renewals += 1;
                self.session.learn(challenge);
                Ok(Step::Send(self.frame()?))
            }
            Answer::Refused(error) => Err(error.into()),
            answer => (self.read)(answer).map(Step::Done).ok_or(ClientError::BadAnswer),
        }
    }

    /// The same with another request of the same kind: it may take as many frames again.
    pub(super) fn next(&mut self, request: Request) -> Result<Vec<u8>, ClientError> {
        self.request = request;
        self.renewals = 0;
        self.frame()
    }

    /// All of it, with something that carries a frame and returns what was answered.
    ///
    /// # Errors
    ///
    /// [`ClientError`], and those of whoever carries.
    pub async fn run<E, F>(mut self, mut carry: impl FnMut(Vec<u8>) -> F) -> Result<T, E>
    where
        E: From<ClientError>,
        F: Future<Output = Result<Vec<u8>, E>>,
    {
        let mut frame = self.frame()?;
        loop {
            match self.step(&carry(frame).await?)? {
                Step::Send(next) => frame = next,
                Step::Done(value) => return Ok(value),
            }
        }
    }
}
