//! New devices, backups, and what comes of them.

use serde_json::json;

use super::Town;

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_linked_step_by_step() {
    let town = Town::new();
    let address = town.account("phone").await;
    let request = town.json("laptop", &["device", "request"]).await.remove(0);
    assert_eq!(request["type"], "device-request");
    // Asked again, it is the same.
    assert_eq!(town.json("laptop", &["device", "request"]).await[0], request);
    assert_eq!(town.fails("laptop", &["address"]).await, ("not-linked", 6));

    let file = town.path("request");
    std::fs::write(&file, request["request"].as_str().unwrap()).unwrap();
    assert_eq!(town.fails("phone", &["device", "approve", &file]).await, ("not-confirmed", 2));
    let wrong = ["device", "approve", &file, "--code", "00000"];
    assert_eq!(town.fails("phone", &wrong).await, ("not-confirmed", 2));
    let code = request["code"].as_str().unwrap();
    let approval = town.json("phone", &["device", "approve", &file, "--code", code]).await;
    let file = town.path("approval");
    std::fs::write(&file, approval[0]["approval"].as_str().unwrap()).unwrap();

    let other = town.account("other").await;
    let wrong = ["device", "finish", &file, "--account", &other];
    assert_eq!(town.fails("laptop", &wrong).await, ("not-confirmed", 2));
    let right = ["device", "finish", &file, "--account", &address];
    let done = town.json("laptop", &right).await.remove(0);
    assert_eq!(done["address"], json!(address));

    let devices = town.json("phone", &["device", "list"]).await;
    assert_eq!(devices.len(), 2);
    assert_eq!(devices.iter().filter(|device| device["this"] == true).count(), 1);
    let laptop = done["device"].as_str().unwrap();
    assert_eq!(town.fails("laptop", &["device", "revoke", laptop]).await.1, 6);
    town.json("phone", &["device", "revoke", &laptop[..10]]).await;
    assert_eq!(town.json("phone", &["device", "list"]).await.len(), 1);
    assert_eq!(town.fails("phone", &["device", "revoke", "0000"]).await, ("no-match", 5));
    std::fs::write(&file, "no approval").unwrap();
    assert_eq!(town.fails("new", &["device", "finish", &file]).await, ("no-store", 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_goes_on_as_a_new_device() {
    let town = Town::new();
    let address = town.account("phone").await;
    let garden = town.json("phone", &["group", "create", "garden"]).await.remove(0);
    let garden = garden["group"].as_str().unwrap();
    town.json("phone", &["send", "garden", "frost tonight"]).await;
    let (backup, secret) = (town.path("backup"), town.path("backup-passphrase"));
    std::fs::write(&secret, "battery staple").unwrap();
    let written = ["backup", &backup, "--backup-passphrase-file", &secret];
    assert_eq!(town.json("phone", &written).await[0]["what"], "backup");

    let wrong = ["restore", &backup, "--backup-passphrase-file", &town.path("passphrase")];
    assert_eq!(town.fails("new", &wrong).await, ("wrong-key-or-damaged", 4));
    let right = ["restore", &backup, "--backup-passphrase-file", &secret];
    let restored = town.json("new", &right).await.remove(0);
    assert_eq!(restored["address"], json!(address));
    // The device is not in the group until others bring it in, but what was said is there.
    assert!(town.json("new", &["group", "list"]).await.is_empty());
    assert_eq!(town.json("new", &["history", garden]).await[0]["text"], "frost tonight");
    assert_eq!(town.fails("phone", &right).await, ("store-exists", 9));
}
