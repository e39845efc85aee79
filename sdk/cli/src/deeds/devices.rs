//! Devices of the account, and backups.

use std::path::Path;

use trellis_sdk::client::DeviceRequest;

use super::{Desk, DeviceDeed};
use crate::account::{Secret, read_text};
use crate::failure::Failure;
use crate::find;
use crate::record::{ApprovalRecord, DeviceRecord, FileRecord, Record};

/// The most bytes of a file with a request, which has about six thousand.
const MAX_REQUEST: u64 = 64 * 1024;

impl Desk<'_> {
    pub(super) async fn device(&self, deed: DeviceDeed) -> Result<(), Failure> {
        match deed {
            DeviceDeed::List => self.list_devices().await,
            DeviceDeed::Approve { file, code } => self.approve(&file, code.as_deref()).await,
            DeviceDeed::Revoke { device } => {
                let device = find::device(self.client, &device).await?;
                Ok(self.client.revoke_device(&device).await?)
            }
            DeviceDeed::Request { .. } | DeviceDeed::Finish { .. } => {
                Err(Failure::Usage("this device has an account already".to_owned()))
            }
        }
    }

    async fn list_devices(&self) -> Result<(), Failure> {
        let account_keys = self.client.has_account_keys().await?;
        for device in self.client.devices().await? {
            let this = device == self.client.device();
            let device = hex::encode(device.0);
            let account_keys = this.then_some(account_keys);
            self.emit(Record::Device(DeviceRecord { device, this, account_keys }))?;
        }
        Ok(())
    }

    async fn approve(&self, file: &Path, code: Option<&str>) -> Result<(), Failure> {
        let text = read_text(file, MAX_REQUEST)?;
        let request: DeviceRequest = text.parse().map_err(trellis_sdk::Error::from)?;
        let shown = request.comparison_code();
        let digits = |code: &str| code.chars().filter(char::is_ascii_digit).collect::<String>();
        match code {
            Some(code) if digits(code) == digits(&shown) => {}
            Some(_) => return Err(Failure::NotConfirmed("the codes differ: approve nothing")),
            None => {
                let question = format!("Does the new device show {shown}?");
                self.asking.confirm(question, "the codes were not compared").await?;
            }
        }
        let approval = self.client.approve_device(&request).await?;
        self.emit(Record::Approval(ApprovalRecord { approval: hex::encode(approval) }))
    }

    pub(super) async fn backup(
        &self,
        file: &Path,
        passphrase: Option<&Path>,
    ) -> Result<(), Failure> {
        let key = self.asking.new_key(Secret::Backup, passphrase).await?;
        self.client.backup(file, key).await?;
        let path = file.display().to_string();
        self.emit(Record::File(FileRecord { what: "backup", path }))
    }
}
