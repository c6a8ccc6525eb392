//! `bartizan watch`: recorded systems are looked at again, by one worker or by many.
//!
//! In each round a worker asks for all systems that are due, takes jobs until none is left, and sends what is to be told.
//! Where the source still lies, it is reviewed and scanned anew; elsewhere the recorded packages are matched against the advisories of today.

use std::path::PathBuf;
use std::time::Duration;

use bartizan_register::{Channel, Claim, Heartbeat, Job, Place, Register, RegisterError, Run};

use super::db;
use super::record::look::{Advisories, Look};
use super::record::{self, kept, notify};
use crate::args::register::Watch;
use crate::exit::Outcome;
use crate::terminal;

/// A system is looked at daily.
const DAY: Duration = Duration::from_secs(86_400);
/// How often a worker asks whether there is something to do.
const ROUND: Duration = Duration::from_secs(60);
/// How often a worker asks whether others have fallen silent.
const WAIT: Duration = Duration::from_millis(250);

pub(super) fn run(arguments: &Watch) -> anyhow::Result<Outcome> {
    let place = record::place(&arguments.place)?;
    record::must_exist(&place)?;
    let channels = notify::channels(&arguments.notify)?;
    let database = db::place(&arguments.database)?;
    if arguments.database.database.is_some() && !database.is_file() {
        anyhow::bail!("there is no database `{}`: import advisories with `bartizan db update PATH…`", database.display());
    }
    if database.is_file() {
        // Tells once where it is old.
        drop(db::open(&database)?);
    }
    let every = arguments.every.unwrap_or(if arguments.once { Duration::ZERO } else { DAY });
    let worker = Worker { place, channels, database, lease: arguments.lease, name: notify::worker() };
    loop {
        let is_whole = worker.round(every);
        if arguments.once {
            return Ok(if is_whole? { Outcome::Clean } else { Outcome::Incomplete });
        }
        // A database that is away for a while is no reason to give up.
        if let Err(error) = is_whole {
            terminal::warning(&format!("{error:#}; the next try is in a minute"));
        }
        std::thread::sleep(ROUND.min(every.max(Duration::from_secs(1))));
    }
}

struct Worker {
    place: Place,
    channels: Vec<Channel>,
    /// File of the database of advisories.
    database: PathBuf,
    lease: Duration,
    name: String,
}

impl Worker {
    /// Does what is due; false where something could not be looked at, or not be told.
    fn round(&self, every: Duration) -> anyhow::Result<bool> {
        let mut register = Register::open(&self.place)?;
        let advisories = self.advisories()?.map(|of| (of.digest, of.day));
        let began = register.moment()?;
        register.ask(advisories.as_ref().map(|(digest, day)| (digest.as_str(), day.as_str())), began, every)?;
        let mut is_whole = true;
        loop {
            match register.claim(&self.name, self.lease)? {
                Claim::Job(job) => is_whole &= self.work(&mut register, &job)?,
                Claim::Wait => std::thread::sleep(WAIT),
                Claim::Nothing => break,
            }
            is_whole &= notify::send(&mut register, &self.channels, self.lease)?;
        }
        // What another sender holds is ours to send if that one falls silent.
        let names = notify::names(&self.channels);
        loop {
            is_whole &= notify::send(&mut register, &self.channels, self.lease)?;
            if !register.is_sending(&names)? {
                break;
            }
            std::thread::sleep(WAIT);
        }
        for (system, error) in register.failures()? {
            is_whole = false;
            terminal::warning(&format!("{system} cannot be looked at: {error}"));
        }
        register.close();
        Ok(is_whole)
    }

    /// The advisories of this moment; none where there is no database.
    fn advisories(&self) -> anyhow::Result<Option<Advisories>> {
        self.database.is_file().then(|| Advisories::open(&self.database)).transpose()
    }

    fn work(&self, register: &mut Register, job: &Job) -> anyhow::Result<bool> {
        let heartbeat = Heartbeat::start(&self.place, job, self.lease);
        let run = self.look(register, job);
        drop(heartbeat);
        let (run, is_whole) = match run {
            Ok(looked) => looked,
            Err(error) => {
                register.give_back(job, &format!("{error:#}"))?;
                return Ok(true);
            }
        };
        match register.finish(job, &run) {
            Ok(recorded) => {
                record::tell_stale(&job.system, &recorded);
                terminal::output(record::told(&job.system, &recorded, &self.place).as_bytes())?;
                Ok(is_whole && !recorded.is_stale)
            }
            // Whoever has it now finds the same.
            Err(RegisterError::LostLease(_)) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    fn look(&self, register: &mut Register, job: &Job) -> anyhow::Result<(Run, bool)> {
        let entry = register.system(&job.system)?;
        let advisories = self.advisories()?;
        let paths: Vec<PathBuf> = entry.system.paths.iter().map(PathBuf::from).collect();
        let looked = match (!paths.is_empty() && paths.iter().all(|path| path.exists()), advisories) {
            (true, advisories) => {
                let database = advisories.is_some().then(|| self.database.clone());
                Look::at(&kept::input(paths, &entry.system.arguments, database)?, advisories)?
            }
            (false, Some(advisories)) => Look::again(&register.packages(&job.system)?, advisories)?,
            (false, None) => anyhow::bail!("its source is not on this machine, and there is no database of advisories"),
        };
        let is_whole = looked.unread.is_empty() && looked.unjudged.is_empty();
        let run = Run {
            system: entry.system,
            at: record::now()?,
            cause: "watch".to_owned(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            revision: String::new(),
            review: looked.review,
            packages: looked.packages,
            flaws: looked.flaws,
            unread: looked.unread,
            channels: notify::names(&self.channels),
            keep_unchanged: false,
        };
        Ok((run, is_whole))
    }
}
