//! What happens before there is an account on this device.

use std::path::Path;

use trellis_sdk::Client;
use trellis_sdk::client::Builder;

use crate::account::{Asking, Secret, existing_store, new_store, read_text};
use crate::arguments::{Common, Restore};
use crate::failure::Failure;
use crate::record::{AccountRecord, DeviceRequestRecord, Record};
use crate::world::World;

/// The most bytes of a file with an approval, in hexadecimal digits.
const MAX_APPROVAL: u64 = 1 << 20;

/// Makes a new account.
pub async fn init(common: &Common, world: &World) -> Result<(), Failure> {
    let path = new_store(common)?;
    let key = Asking::of(world).new_key(Secret::Store, common.passphrase_file.as_deref()).await?;
    let client = Client::builder(path, key).store_options(world.store).offline().open().await?;
    finish(&client, world).await
}

/// Goes on from a backup, as a new device.
pub async fn restore(common: &Common, world: &World, arguments: &Restore) -> Result<(), Failure> {
    let path = new_store(common)?;
    let asking = Asking::of(world);
    let backup_key =
        asking.key(Secret::Backup, arguments.backup_passphrase_file.as_deref()).await?;
    let key = asking.new_key(Secret::Store, common.passphrase_file.as_deref()).await?;
    let builder = Client::builder(path, key).store_options(world.store).offline();
    let client = builder.restore(&arguments.backup, backup_key).await?;
    finish(&client, world).await
}

/// Makes a new device that waits for its approval, or prints the request of one that waits already.
pub async fn request_device(
    common: &Common,
    world: &World,
    backup: Option<(&Path, Option<&Path>)>,
) -> Result<(), Failure> {
    let asking = Asking::of(world);
    let file = common.passphrase_file.as_deref();
    let device = match backup {
        Some((backup, backup_file)) => {
            let path = new_store(common)?;
            let backup_key = asking.key(Secret::Backup, backup_file).await?;
            let key = asking.new_key(Secret::Store, file).await?;
            let builder = Client::builder(path, key).store_options(world.store).offline();
            builder.link_with_backup(backup, backup_key).await?
        }
        None => match existing_store(common) {
            Ok(path) => {
                let key = asking.key(Secret::Store, file).await?;
                Client::builder(path, key).store_options(world.store).offline().link().await?
            }
            Err(_) => {
                let path = new_store(common)?;
                let key = asking.new_key(Secret::Store, file).await?;
                Client::builder(path, key).store_options(world.store).offline().link().await?
            }
        },
    };
    let (code, request) = (device.request().comparison_code(), device.request().to_string());
    if !world.output.is_json() {
        eprintln!("Compare this code on the account's first device: {code}");
    }
    world.output.print(&Record::DeviceRequest(DeviceRequestRecord { code, request }))
}

/// Becomes the account's device.
pub async fn finish_device(
    common: &Common,
    world: &World,
    file: &Path,
    account: Option<&str>,
) -> Result<(), Failure> {
    let path = existing_store(common)?;
    let text = read_text(file, MAX_APPROVAL)?;
    let approval = hex::decode(text.trim())
        .map_err(|_| Failure::Usage("an approval is made of hexadecimal digits".to_owned()))?;
    let asking = Asking::of(world);
    let key = asking.key(Secret::Store, common.passphrase_file.as_deref()).await?;
    let builder: Builder = Client::builder(path, key).store_options(world.store).offline();
    let device = builder.link().await?;
    let found = device.account(&approval)?;
    match account {
        Some(expected) if crate::find::address(expected)? == found => {}
        Some(_) => return Err(Failure::NotConfirmed("the approval is by another account")),
        None => {
            let question = format!("Is this your account's address? {found}");
            asking.confirm(question, "the account was not confirmed").await?;
        }
    }
    let client = device.finish(&approval).await?;
    finish(&client, world).await
}

async fn finish(client: &Client, world: &World) -> Result<(), Failure> {
    let record = Record::Account(AccountRecord::of(client));
    client.close().await;
    world.output.print(&record)
}
