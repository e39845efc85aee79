//! OpenMLS's virtual clients on this storage: the entities of the draft are read back by OpenMLS.

use openmls::{
    components::vc_derivation_info::{
        EmulationEpochState, EpochId, RetainedKeyPackageMaterial, VC_COMPONENT_ID,
        VcEmulationBindings, assemble_vc_key_package_upload, process_vc_key_package_upload,
    },
    prelude::{tls_codec::Serialize as _, *},
};
use openmls_basic_credential::SignatureKeyPair;

use crate::{
    entities::Storage,
    group::{Provider, SUITE, authenticator, identity},
};

fn capabilities() -> Capabilities {
    Capabilities::builder().extensions(vec![ExtensionType::AppDataDictionary]).build()
}

/// The leaf node says that it supports virtual clients.
fn extensions() -> Extensions<LeafNode> {
    const APP_COMPONENTS: u16 = 1;
    let mut dictionary = AppDataDictionary::new();
    let components = vec![VC_COMPONENT_ID].tls_serialize_detached().unwrap();
    dictionary.insert(APP_COMPONENTS, components);
    let extension = Extension::AppDataDictionary(AppDataDictionaryExtension::new(dictionary));
    Extensions::from_vec(vec![extension]).unwrap()
}

fn found(
    provider: &Provider,
    signer: &SignatureKeyPair,
    credential: CredentialWithKey,
) -> MlsGroup {
    let config = MlsGroupCreateConfig::builder()
        .ciphersuite(SUITE)
        .use_ratchet_tree_extension(true)
        .capabilities(capabilities())
        .with_leaf_node_extensions(extensions())
        .unwrap()
        .build();
    MlsGroup::new(provider, signer, &config, credential).unwrap()
}

#[test]
fn a_virtual_client_lives_through_restarts() {
    let provider = Provider::default();
    let (signer, credential) = identity(&provider, "emulator");
    let emulator = found(&provider, &signer, credential);
    let (vc_signer, vc_credential) = identity(&provider, "virtual client");
    let main = found(&provider, &vc_signer, vc_credential.clone());
    let load = |provider: &Provider, group: &MlsGroup| {
        MlsGroup::load(&provider.storage, group.group_id()).unwrap().unwrap()
    };

    let register = |provider: &Provider| {
        load(provider, &emulator)
            .register_vc_emulation_epoch(provider.crypto(), &provider.storage)
            .unwrap()
    };
    let epoch = register(&provider);
    let provider = provider.restored();
    assert_eq!(register(&provider), epoch, "the registered epoch is read back");

    // A commit with a leaf that is derived for the virtual client binds the group to the epoch.
    let mut group = load(&provider, &main);
    group
        .commit_builder()
        .vc_emulation(provider.crypto(), &provider.storage, epoch.clone())
        .unwrap()
        .load_psks(&provider.storage)
        .unwrap()
        .build(provider.rand(), provider.crypto(), &vc_signer, |_| true)
        .unwrap()
        .stage_commit(&provider)
        .unwrap();
    group.merge_pending_commit(&provider).unwrap();
    let provider = provider.restored();
    assert_eq!(bindings(&provider.storage, &main).unwrap().get(group.epoch()), Some(&epoch));
    assert_eq!(authenticator(&load(&provider, &main)), authenticator(&group));

    // The other emulator client is at the same state; it learns of a batch of key packages.
    let sibling = provider.restored();
    let mut batch = KeyPackage::builder()
        .leaf_node_capabilities(capabilities())
        .leaf_node_extensions(extensions())
        .build_vc_batch(SUITE, &provider, &vc_signer, vc_credential, epoch.clone(), 3)
        .unwrap();
    let generation = batch.generation;
    let (_, infos): (Vec<_>, Vec<_>) = batch.key_packages.drain(..).unzip();
    let references: Vec<_> = infos.iter().map(|info| info.key_package_ref.clone()).collect();
    let upload =
        assemble_vc_key_package_upload(&provider.storage, epoch.clone(), generation, infos)
            .unwrap();
    assert!(!retained(&sibling.storage, &epoch));
    process_vc_key_package_upload(&sibling, &upload).unwrap();
    let sibling = sibling.restored();
    assert!(process_vc_key_package_upload(&sibling, &upload).is_err(), "the tree has advanced");
    assert!(retained(&sibling.storage, &epoch));

    // The epoch is kept until the last of them is gone.
    for reference in &references {
        let material = material(&sibling.storage, reference).unwrap();
        assert_eq!(material.epoch_id, epoch);
        assert!(!delete_epoch(&sibling.storage, &epoch));
        delete_key_package(&sibling.storage, reference);
    }
    assert!(state(&sibling.storage, &epoch).is_some());
    assert!(delete_epoch(&sibling.storage, &epoch));
    assert!(state(&sibling.storage, &epoch).is_none());
}

fn bindings<S: Storage>(storage: &S, group: &MlsGroup) -> Option<VcEmulationBindings> {
    storage.vc_emulation_bindings(group.group_id()).unwrap()
}

fn retained<S: Storage>(storage: &S, epoch: &EpochId) -> bool {
    storage.has_retained_key_package_material_for_epoch(epoch).unwrap()
}

fn material<S: Storage>(
    storage: &S,
    reference: &KeyPackageRef,
) -> Option<RetainedKeyPackageMaterial> {
    storage.retained_key_package_material(reference).unwrap()
}

fn delete_key_package<S: Storage>(storage: &S, reference: &KeyPackageRef) {
    storage.delete_key_package(reference).unwrap();
}

fn state<S: Storage>(storage: &S, epoch: &EpochId) -> Option<EmulationEpochState> {
    storage.vc_emulation_epoch_state(epoch).unwrap()
}

fn delete_epoch<S: Storage>(storage: &S, epoch: &EpochId) -> bool {
    storage.delete_vc_emulation_state_if_unreferenced(epoch).unwrap()
}
