//! Names of authenticators by their AAGUID, for a list that its holder understands. Never a proof of what it is: without
//! attestation an authenticator says what it likes.

/// What people call an authenticator, and the AAGUIDs of its models. Facts from the public list
/// passkeydeveloper/passkey-authenticator-aaguids, which holds those of the FIDO Metadata Service too, as of August 2026.
/// Apple's, Google's and Microsoft's are the ones that come with a device.
#[rustfmt::skip]
const NAMES: &[(&str, &[&str])] = &[
    ("Apple Passwords", &["dd4ec289-e01d-41c9-bb89-70fa845d4bf2", "fbfc3007-154e-4ecc-8c0b-6e020557d7bd"]),
    ("Google Password Manager", &["ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"]),
    ("Windows Hello", &[
        "08987058-cadc-4b81-b6e1-30de50dcbe96", "6028b017-b1d4-4c02-b4b3-afcdafc96bb2",
        "9ddd1817-af5a-4672-a2b9-3e3dd95000a9",
    ]),
    ("Microsoft Password Manager", &["d3452668-01fd-4c12-926c-83a4204853aa"]),
    ("Samsung Pass", &["53414d53-554e-4700-0000-000000000000"]),
    ("1Password", &["bada5566-a7aa-401f-bd96-45619a55120d"]),
    ("Bitwarden", &["d548826e-79b4-db40-a3d8-11116f7e8349"]),
    ("Dashlane", &["531126d6-e717-415c-9320-3d9aa6981239"]),
    ("Enpass", &["f3809540-7f14-49c1-a8b3-8f813b225541"]),
    ("Kaspersky Password Manager", &["a10c6dd9-465e-4226-8198-c7c44b91c555"]),
    ("KeePassDX", &["eaecdef2-1c31-5634-8639-f1cbd9c00a08"]),
    ("KeePassXC", &["fdb141b2-5d84-443e-8a35-4698c205a502"]),
    ("Keeper", &["0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6"]),
    ("LastPass", &["b78a0a55-6ef8-d246-a042-ba0f6d55050c"]),
    ("NordPass", &["b84e4048-15dc-4dd0-8640-f4f60813c8af"]),
    ("Norton Password Manager", &["fa37f553-f9b6-4adb-ac53-8bbb57ebdf0d"]),
    ("Proton Pass", &["50726f74-6f6e-5061-7373-50726f746f6e"]),
    ("Chrome (Mac)", &["adce0002-35bc-c60a-648b-0b25f1f05503"]),
    ("Edge (Mac)", &["771b48fd-d3d4-4f74-9232-fc157ab0507a"]),
    ("Chromium", &["b5397666-4885-aa6b-cebf-e52262a439a2"]),
    ("Android", &["b93fd961-f2e6-462f-b122-82002247de78"]),
    ("Titan Security Key", &["42b4fb4a-2866-43b2-9bf7-6c6669c2e5d3"]),
    ("Nitrokey 3", &["2cd2f727-f6ca-44da-8f48-5c2e5da000a2"]),
    ("Token2", &["ab32f0c6-2239-afbb-c470-d2ef4e254db7", "eabb46cc-e241-80bf-ae9e-96fa6d2975cf"]),
    ("Security Key (Yubico)", &[
        "0bb43545-fd2c-4185-87dd-feb0b2916ace", "149a2021-8ef6-4133-96b8-81f8d5b7f1f5",
        "47ab2fb4-66ac-4184-9ae1-86be814012d5", "6d44ba9b-f6ec-2e49-b930-0c8fe920cb73",
        "72c6b72d-8512-4c66-8359-9d3d10d9222f", "9ff4cc65-6154-4fff-ba09-9e2af7882ad2",
        "a4e9fc6d-4cbe-4758-b8ba-37598bb5bbaa", "b7d3f68e-88a6-471e-9ecf-2df26d041ede",
        "b92c3f9a-c014-4056-887f-140a2501163b", "e77e3c64-05e3-428b-8824-0cbeb04b829d",
        "ed042a3a-4b22-4455-bb69-a267b652ae7e", "f8a011f3-8c0a-4d15-8006-17111f9edc7d",
    ]),
    ("YubiKey 5", &[
        "03012cb7-4fb2-42e7-9e8d-a81f10e2a5e9", "0a357157-9b18-4c8a-920e-d156e972b2f8",
        "0ebd9f2c-f685-441c-8c3e-a02a234a840a", "19083c3d-8383-4b18-bc03-8f1c9ab2fd1b",
        "1ac71f64-468d-4fe0-bef1-0e5f2f551f18", "20ac7a17-c814-4833-93fe-539f0d5e3389",
        "24673149-6c86-42e7-98d9-433fb5b73296", "2fc0579f-8113-47ea-b116-bb5a8db9202a",
        "3aa78eb1-ddd8-46a8-a821-8f8ec57a7bd5", "3b24bf49-1d45-4484-a917-13175df0867b",
        "3ec9c8d3-a5a7-415b-a7b5-f1d606368d3f", "41e39911-c669-4811-b860-c6ad0b411b96",
        "4599062e-6926-4fe7-9566-9e8fb1aedaa0", "4fc84f16-2545-4e53-b8fc-7bf4d7282a10",
        "524de2de-982f-49b4-a769-2b5e3b73ad79", "662ef48a-95e2-4aaa-a6c1-5b9c40375824",
        "6ab56fad-881f-4a43-acb2-0be065924522", "7dab85a5-d16d-4eaf-a7ef-4c1385b151c5",
        "9a3f2abd-a73d-439c-9ee7-1b53a857eaa7", "9eb7eabc-9db5-49a1-b6c3-555a802093f4",
        "a02167b9-ae71-4ac7-9a07-06432ebb6f1c", "a25342c0-3cdc-4414-8e46-f4807fca511c",
        "b2c1a50b-dad8-4dc7-ba4d-0ce9597904bc", "b90e7dc1-316e-4fee-a25a-56a666a670fe",
        "c3479970-e58a-4f70-836f-853bf42fb063", "c5ef55ff-ad9a-4b9f-b580-adebafe026d0",
        "cb69481e-8ff7-4039-93ec-0a2729a154a8", "d7781e5d-e353-46aa-afe2-3ca49f13332a",
        "eb7ef748-cbe0-4b40-b8f6-07bd2d592d35", "ee882879-721c-4913-9775-3dfcce97072a",
        "f4ce5fc0-57d3-46f5-a736-efb7d5bc63b5", "fa2b99dc-9e39-4257-8f92-4a30d23c4118",
        "ff4dac45-ede8-4ec2-aced-cf66103f4335",
    ]),
    ("YubiKey 5 FIPS", &[
        "3a662962-c6d4-4023-bebb-98ae92e78e20", "57f7de54-c807-4eab-b1c6-1c9be7984e92",
        "73bb0cd4-e502-49b8-9c6f-b59445bf720b", "79f3c8ba-9e35-484b-8f47-53a5a0f5c630",
        "7b96457d-e3cd-432b-9ceb-c9fdd7ef7432", "85203421-48f9-4355-9bc8-8a53846e5083",
        "905b4cb4-ed6f-4da9-92fc-45e0d4e9b5c7", "c1f9a0bc-1dd2-404a-b27f-8e29047a43fd",
        "fcc0118f-cd45-435b-8da1-9782b2da0715",
    ]),
    ("YubiKey Bio", &[
        "34744913-4f57-4e6e-a527-e9ec3c4b94e6", "58276709-bb4b-4bb3-baf1-60eea99282a7",
        "6ec5cff2-a0f9-4169-945b-f33b563f7b99", "7409272d-1ff9-4e10-9fc9-ac0019c124fd",
        "7d1351a6-e097-4852-b8bf-c9ac5c9ce4a3", "83c47309-aabb-4108-8470-8be838b573cb",
        "8c39ee86-7f9a-4a95-9ba3-f6b097e5c2ee", "90636e1f-ef82-43bf-bdcf-5255f139d12f",
        "97e6a830-c952-4740-95fc-7c78dc97ce47", "9806a2c8-c0da-478e-b4ca-620005d34182",
        "9dd8d593-2213-438a-97f8-d6b813d51c27", "ad08c78a-4e41-49b9-86a2-ac15b06899e2",
        "add92433-0d69-4026-8166-29b25bce64e9", "ba0a9266-40d8-4048-9786-d710b5474752",
        "d8522d9f-575b-4866-88a9-ba99fa02f35b", "dc5e949d-f939-43b3-9877-a85c7186b753",
        "dd86a2da-86a0-4cbe-b462-4bd31f57bc6f",
    ]),
];

/// The name of a model of authenticator; `None` for one that is not known or does not say.
pub fn authenticator_name(aaguid: &str) -> Option<&'static str> {
    NAMES.iter().find(|(_, models)| models.contains(&aaguid)).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_authenticator_that_people_know_has_its_name() {
        assert_eq!(authenticator_name("fbfc3007-154e-4ecc-8c0b-6e020557d7bd"), Some("Apple Passwords"));
        assert_eq!(authenticator_name("cb69481e-8ff7-4039-93ec-0a2729a154a8"), Some("YubiKey 5"));
        assert_eq!(authenticator_name("00000000-0000-0000-0000-000000000000"), None);
    }

    #[test]
    fn every_model_is_written_as_it_is_kept_and_stands_once() {
        let mut seen = BTreeSet::new();
        for model in NAMES.iter().flat_map(|(_, models)| *models) {
            let is_lower =
                model.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b) || b == b'-');
            assert!(model.len() == 36 && is_lower && seen.insert(model), "{model}");
        }
    }
}
