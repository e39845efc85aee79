//! What the malicious node does on the network, where it needs no knowledge of what is inside an
//! envelope. What it does as a member is in `deeds` and in the engine's `malice`.

use super::plan::Plan;
use super::step::Deed;
use crate::transport::{Action, Random};
use crate::{Time, Topic};

/// How many envelopes, and how many questions, it keeps.
const MEMORY: usize = 256;

pub(crate) struct Malice {
    /// Nothing if all nodes are honest.
    pub(crate) node: Option<usize>,
    random: Random,
    envelopes: Vec<(Topic, Vec<u8>)>,
    questions: Vec<(Topic, Vec<u8>)>,
    /// Until when it keeps what its engine publishes.
    pub(crate) withholds: Time,
    /// Whether it then keeps only what others have to have, and tells them of it.
    pub(crate) commits_only: bool,
    /// How many second engines it had.
    pub(crate) twins: u64,
    /// Whether it does no harm any more.
    pub(crate) stopped: bool,
    /// Until when it answers with nonsense.
    pub(crate) lies: Time,
}

impl Malice {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            node: plan.malicious,
            // Another row of numbers than the network's.
            random: Random::new(!plan.seed),
            envelopes: Vec::new(),
            questions: Vec::new(),
            withholds: Time(0),
            commits_only: false,
            twins: 0,
            stopped: false,
            lies: Time(0),
        }
    }

    /// Keeps an envelope that came in or goes out.
    pub(crate) fn see(&mut self, topic: Topic, bytes: &[u8]) {
        keep(&mut self.random, &mut self.envelopes, (topic, bytes.to_vec()));
    }

    /// Keeps a question that came in or goes out.
    pub(crate) fn see_question(&mut self, topic: Topic, question: &[u8]) {
        keep(&mut self.random, &mut self.questions, (topic, question.to_vec()));
    }

    pub(crate) fn nonsense(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.random.fill(&mut bytes);
        bytes
    }

    /// Some topic that it knows.
    pub(crate) fn topic(&mut self) -> Option<Topic> {
        self.envelope().map(|(topic, _)| topic)
    }

    fn envelope(&mut self) -> Option<(Topic, Vec<u8>)> {
        if self.envelopes.is_empty() {
            return None;
        }
        Some(self.envelopes[self.random.index(self.envelopes.len())].clone())
    }

    /// What a deed puts on the network at once.
    pub(crate) fn actions(&mut self, deed: &Deed) -> Vec<Action> {
        match *deed {
            Deed::Replay { count } => self.several(count, |malice| {
                let (topic, bytes) = malice.envelope()?;
                Some(Action::Publish { topic, bytes })
            }),
            Deed::Garbage { count, length } => self.several(count, |malice| {
                let topic = malice.topic()?;
                Some(Action::Publish { topic, bytes: malice.nonsense(length) })
            }),
            Deed::Damage { count } => self.several(count, |malice| {
                let (topic, mut bytes) = malice.envelope()?;
                if !bytes.is_empty() {
                    let place = malice.random.index(bytes.len());
                    bytes[place] ^= 1 << malice.random.below(8);
                }
                Some(Action::Publish { topic, bytes })
            }),
            Deed::Pester { count } => self.several(count, |malice| {
                if malice.questions.is_empty() {
                    return None;
                }
                let number = malice.random.index(malice.questions.len());
                let (topic, mut question) = malice.questions[number].clone();
                if malice.random.below(2) == 0 {
                    malice.random.fill(&mut question);
                }
                Some(Action::Ask { topic, question })
            }),
            _ => Vec::new(),
        }
    }

    fn several(
        &mut self,
        count: usize,
        mut make: impl FnMut(&mut Self) -> Option<Action>,
    ) -> Vec<Action> {
        (0..count).filter_map(|_| make(self)).collect()
    }
}

/// Keeps something, in the place of something else if there is too much.
fn keep<T>(random: &mut Random, memory: &mut Vec<T>, what: T) {
    if memory.len() < MEMORY {
        memory.push(what);
    } else {
        let place = random.index(MEMORY);
        memory[place] = what;
    }
}
