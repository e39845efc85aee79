//! From the command line to what is done.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt};
use trellis_sdk::Client;
use trellis_sdk::message::MAX_TEXT;

use crate::account::{Asking, Secret, existing_store};
use crate::arguments::{Arguments, Command, Common};
use crate::deeds::{Desk, DeviceDeed, Request};
use crate::failure::Failure;
use crate::network::Connection;
use crate::record::{Finding, Level, Record};
use crate::world::{Input, World};
use crate::{agent, demo, listen, papers, setup, tui};

/// How many threads wait for the network. The client's own work has a thread of its own.
const THREADS: usize = 2;
/// How long `doctor` waits for somebody to be connected, before it says that nobody is.
const MEET: Duration = Duration::from_secs(5);

/// Runs a command in a runtime of its own.
pub fn run_in_runtime(arguments: Arguments) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .map_err(Failure::io("the runtime"))?;
    let json = arguments.common.json;
    let done = runtime.block_on(run(arguments, World::of_this_process(json)));
    // A thread may still be waiting for standard input.
    runtime.shutdown_background();
    done
}

/// Runs a command.
pub async fn run(arguments: Arguments, mut world: World) -> Result<(), Failure> {
    let Arguments { common, command } = arguments;
    match command {
        None => tui::run(&common, &world).await,
        Some(Command::Init) => setup::init(&common, &world).await,
        Some(Command::Restore(restore)) => setup::restore(&common, &world, &restore).await,
        Some(Command::Request(Request::Device(DeviceDeed::Request {
            backup,
            backup_passphrase_file,
        }))) => {
            let backup = backup.as_deref().map(|file| (file, backup_passphrase_file.as_deref()));
            setup::request_device(&common, &world, backup).await
        }
        Some(Command::Request(Request::Device(DeviceDeed::Finish { file, account }))) => {
            setup::finish_device(&common, &world, &file, account.as_deref()).await
        }
        Some(Command::Request(request)) => perform(&common, &mut world, request).await,
        Some(Command::Listen(listen)) => {
            let session = Session::open(&common, &world).await?;
            let done = listen::listen(&session.client, &world, &listen).await;
            session.close().await;
            done
        }
        Some(Command::Agent(agent)) => {
            let session = Session::open(&common, &world).await?;
            let client = session.client.clone();
            let done = agent::run(session, &common, world, &agent).await;
            client.close().await;
            done
        }
        Some(Command::Mailbox(options)) => {
            crate::network::mailbox(&common.network, &options, &world.output).await
        }
        Some(Command::Demo(demo)) => demo::run(&demo, &common, &world).await,
        Some(Command::Completions { shell }) => papers::completions(shell, &world.output),
        Some(Command::Man { directory }) => papers::man(directory.as_deref(), &world.output),
    }
}

/// An open client, and the network that it has.
pub struct Session {
    /// The client.
    pub client: Client,
    /// Its network, unless it does without.
    pub connection: Option<Connection>,
}

impl Session {
    /// Opens the account as the options say.
    pub async fn open(common: &Common, world: &World) -> Result<Self, Failure> {
        // What is wrong with the file is told before the network is tried, and the other way round
        // nothing would be: a connection that nobody uses is closed again.
        let path = existing_store(common)?;
        let asking = Asking::of(world);
        let key = asking.key(Secret::Store, common.passphrase_file.as_deref()).await?;
        let builder = Client::builder(path.clone(), key).store_options(world.store);
        if common.offline {
            return Ok(Self { client: builder.offline().open().await?, connection: None });
        }
        let connection = (world.connect)(common.network.clone(), path).await?;
        let client = builder.transport(Arc::clone(&connection.transport)).open().await?;
        Ok(Self { client, connection: Some(connection) })
    }

    /// What requests are done with.
    pub fn desk<'a>(
        &'a self,
        common: &Common,
        asking: Asking,
        emit: &'a crate::deeds::Emit<'a>,
    ) -> Desk<'a> {
        let control = self.connection.as_ref().map(|connection| Arc::clone(&connection.control));
        Desk { client: &self.client, control, timeout: common.timeout(), asking, emit }
    }

    /// Closes the client.
    pub async fn close(self) {
        self.client.close().await;
    }
}

/// One command with a client that is opened for it.
async fn perform(common: &Common, world: &mut World, mut request: Request) -> Result<(), Failure> {
    if let Request::Send(arguments) = &mut request
        && arguments.text.as_deref() == Some("-")
    {
        arguments.text = Some(read_message(&mut world.input).await?);
    }
    let mut common = common.clone();
    common.offline |= !request.needs_network();
    let session = match Session::open(&common, world).await {
        // To find out is what it is for.
        Err(failure @ (Failure::NoNetwork | Failure::Transport(_) | Failure::Node(_)))
            if matches!(request, Request::Doctor { .. }) =>
        {
            let (code, text) = (failure.code(), failure.explain());
            let (level, about) = (Level::Bad, "network");
            let finding = Finding { level, about, code, group: None, text };
            world.output.print(&Record::Finding(finding))?;
            common.offline = true;
            Session::open(&common, world).await?
        }
        opened => opened?,
    };
    if let (Request::Doctor { .. }, Some(connection)) = (&request, &session.connection) {
        connection.control.meet(MEET.min(common.timeout())).await;
    }
    let export = matches!(request, Request::Export { .. });
    let output = world.output.clone();
    let emit = move |record: Record| {
        // An export is always for programs.
        if export { output.json(&record) } else { output.print(&record) }
    };
    let done = session.desk(&common, Asking::of(world), &emit).perform(request).await;
    session.close().await;
    done
}

/// What is to be said, from standard input, without the end of the last line.
async fn read_message(input: &mut Input) -> Result<String, Failure> {
    let mut text = String::new();
    // One more than may be sent, so that what is too long is refused and not cut off.
    let limit = MAX_TEXT as u64 + 2;
    let read = input.take(limit).read_to_string(&mut text).await;
    read.map_err(Failure::io("standard input"))?;
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

/// The next line, without its end; nothing at the end of the input. A line longer than `limit` bytes
/// is an error, and there is no next one.
pub async fn read_line(input: &mut Input, limit: u64) -> Result<Option<String>, Failure> {
    let mut line = Vec::new();
    let read = input.take(limit).read_until(b'\n', &mut line).await;
    let read = read.map_err(Failure::io("standard input"))?;
    if read == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') && read as u64 >= limit {
        return Err(Failure::Usage(format!("a line of more than {limit} bytes")));
    }
    let text = String::from_utf8(line)
        .map_err(|_| Failure::Usage("a line that is not UTF-8".to_owned()))?;
    Ok(Some(text.trim_end().to_owned()))
}

/// Waits until the user or the system wants this program to end.
pub async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        if let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = kinds.map(signal) {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Nobody can say stop; the system's default ends the program.
        std::future::pending::<()>().await;
    }
}
