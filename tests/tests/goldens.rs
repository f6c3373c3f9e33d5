//! The host against the goldens.

use brownian_tests::golden;

/// Every step of every golden chain of the shipped models.
#[test]
fn shipped_models_give_their_golden_digests() {
    let models = golden::models().unwrap();
    assert!(!models.is_empty());
    for name in models {
        let (expected, found) = (golden::read(&name).unwrap(), golden::compute(&name).unwrap());
        golden::compare(&name, &expected, &found).unwrap();
    }
}

/// One digit changed in one digest is found, and its step named.
#[test]
fn a_changed_digest_is_named() {
    let chain = |digests: &str| golden::GoldenChain { plan: "p".into(), seed: 3, digests: digests.into() };
    let goldens = |digests| golden::Goldens { model_len: 1, chains: vec![chain(digests)], cases: Vec::new() };
    let same = golden::compare("m", &goldens("00000001 00000002"), &goldens("00000001 00000002"));
    assert!(same.is_ok());
    let error = golden::compare("m", &goldens("00000001 00000002"), &goldens("00000001 00000003")).unwrap_err();
    assert!(error.to_string().starts_with("m: plan p, seed 3: step 2 differs"), "{error}");
    assert!(golden::compare("m", &goldens("00000001 00000002"), &goldens("00000001")).is_err());
}
