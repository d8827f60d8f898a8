// Passkeys: without this script the parts of pages that are about them stay hidden, or say so.
(() => {
  "use strict";
  if (!globalThis.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  };
  const text = (buffer) => {
    const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
    return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  // The forms of WebAuthn level 3, for browsers that do not have them yet.
  const toCreate = (json) => ({
    ...json,
    challenge: bytes(json.challenge),
    user: { ...json.user, id: bytes(json.user.id) },
    excludeCredentials: named(json.excludeCredentials),
  });
  const toGet = (json) => ({ ...json, challenge: bytes(json.challenge), allowCredentials: named(json.allowCredentials) });
  const answerOf = (credential) => {
    const { response } = credential;
    const optional = (buffer) => (buffer ? text(buffer) : undefined);
    const parts = { clientDataJSON: text(response.clientDataJSON) };
    if (response.attestationObject) {
      parts.attestationObject = text(response.attestationObject);
      parts.authenticatorData = optional(response.getAuthenticatorData && response.getAuthenticatorData());
      parts.publicKey = optional(response.getPublicKey && response.getPublicKey());
      parts.publicKeyAlgorithm = response.getPublicKeyAlgorithm && response.getPublicKeyAlgorithm();
      parts.transports = response.getTransports ? response.getTransports() : [];
    } else {
      parts.authenticatorData = text(response.authenticatorData);
      parts.signature = text(response.signature);
      parts.userHandle = optional(response.userHandle);
    }
    return {
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      authenticatorAttachment: credential.authenticatorAttachment || undefined,
      clientExtensionResults: credential.getClientExtensionResults(),
      response: parts,
    };
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const makes = form.dataset.passkey === "create";
    const json = JSON.parse(form.dataset.options);
    const button = form.querySelector("[data-passkey-start]");
    const trouble = form.querySelector("[data-passkey-trouble]");
    for (const hidden of form.querySelectorAll("[data-needs-passkeys]")) hidden.hidden = false;
    let suggesting;

    const finish = (credential) => {
      const json = credential.toJSON ? credential.toJSON() : answerOf(credential);
      form.elements.answer.value = JSON.stringify(json);
      const publicComputer = document.getElementById("public-computer");
      if (publicComputer && publicComputer.checked && form.elements.public_computer) {
        form.elements.public_computer.disabled = false;
      }
      form.requestSubmit();
    };
    const ask = async (more) => {
      const publicKey = makes
        ? (PublicKeyCredential.parseCreationOptionsFromJSON || toCreate).call(PublicKeyCredential, json)
        : (PublicKeyCredential.parseRequestOptionsFromJSON || toGet).call(PublicKeyCredential, json);
      const credential = await (makes
        ? navigator.credentials.create({ publicKey })
        : navigator.credentials.get({ publicKey, ...more }));
      if (credential) finish(credential);
    };

    button.addEventListener("click", async () => {
      if (suggesting) suggesting.abort();
      trouble.hidden = true;
      button.disabled = true;
      try {
        await ask({});
      } catch (error) {
        const isThere = makes && error.name === "InvalidStateError";
        trouble.textContent = isThere ? trouble.dataset.there : trouble.dataset.text;
        trouble.hidden = false;
        trouble.focus();
        // A question takes one answer, and this one may have been lost: the page asks anew when it is opened anew.
      } finally {
        button.disabled = false;
      }
    });

    // Passkeys among the suggestions of the first field.
    if (!makes && form.hasAttribute("data-passkey-suggests") && PublicKeyCredential.isConditionalMediationAvailable) {
      PublicKeyCredential.isConditionalMediationAvailable().then((can) => {
        if (!can) return;
        suggesting = new AbortController();
        ask({ mediation: "conditional", signal: suggesting.signal }).catch(() => {});
      });
    }
  }
})();
