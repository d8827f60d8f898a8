# Mails and text messages. No names or codes in subjects; nothing about care anywhere.

mail-hello-name = Beste { $name },
mail-hello = Beste heer of mevrouw,
mail-regards = Met vriendelijke groet,
mail-help = Hulp nodig?
mail-help-phone = Bel { $phone }
mail-help-mail = Mail { $email }
mail-never-asks = Wij vragen u nooit om uw wachtwoord of een code. Niet in een mail en niet aan de telefoon.
mail-code-text = Leest u deze mail op een ander apparaat? Typ dan deze code over op de pagina waar u was:
mail-valid-minutes = De link en de code werken { $minutes } minuten, en maar één keer.
mail-valid-hours = De link en de code werken { $hours } uur, en maar één keer.
mail-not-you = Deed u dit niet zelf? Dan hoeft u niets te doen. Uw account is veilig.
mail-signin-button = Inloggen
mail-reset-button = Nieuw wachtwoord kiezen
mail-account-button = Naar mijn account

mail-confirm-subject = Bevestig uw e-mailadres
mail-confirm-text = U maakte een account aan met dit e-mailadres. Bevestig nu dat dit adres van u is.
mail-confirm-ignore = Maakte u geen account aan? Dan hoeft u niets te doen.

mail-already-registered-subject = U heeft al een account
mail-already-registered-text = Er is net geprobeerd om een account te maken met uw e-mailadres. Maar u heeft al een account. U kunt gewoon inloggen.
mail-already-registered-forgot = Weet u uw wachtwoord niet meer?

mail-reset-subject = Kies een nieuw wachtwoord
mail-reset-text = U vroeg om een nieuw wachtwoord. Dat kiest u op onze website.
mail-reset-ignore = Vroeg u dit niet aan? Dan hoeft u niets te doen. Uw oude wachtwoord blijft werken.

mail-reset-unknown-subject = Uw vraag om een nieuw wachtwoord
mail-reset-unknown-text = Er is een nieuw wachtwoord gevraagd voor dit e-mailadres. Maar bij dit adres hoort geen account.
mail-reset-unknown-other = Heeft u wel een account? Misschien gebruikt u daarvoor een ander e-mailadres. Probeer het dan met dat adres.
mail-reset-unknown-ignore = Vroeg u dit niet aan? Dan hoeft u niets te doen.

mail-password-changed-subject = Uw wachtwoord is veranderd
mail-password-changed-text = Het wachtwoord van uw account is veranderd op { $when }. Deed u dit zelf? Dan hoeft u niets te doen.
mail-password-changed-not-you = Deed u dit niet zelf? Kies dan meteen een nieuw wachtwoord en neem contact op met de helpdesk.

mail-locked-subject = Inloggen is tijdelijk geblokkeerd
mail-locked-text = Op { $when } is te vaak een verkeerd wachtwoord ingevuld bij uw account. Daarom kan er niet worden ingelogd tot { $until }. Daarna gaat het vanzelf weer.
mail-locked-you = Was u dit zelf? Wacht dan even, of kies een nieuw wachtwoord.
mail-locked-not-you = Was u dit niet? Uw account is veilig: er is niemand binnengekomen. Apparaten die wij van u kennen, blijven werken.

mail-new-device-subject = Inloggen op een nieuw apparaat
mail-new-device-text = Er is ingelogd op uw account met een nieuw apparaat: { $device }, op { $when }. Was u dit zelf? Dan hoeft u niets te doen.
mail-new-device-not-you = Was u dit niet? Verander dan meteen uw wachtwoord en kies bij uw account 'Overal uitloggen'.

mail-phone-added-subject = Uw telefoonnummer is toegevoegd
mail-phone-added-text = Op { $when } is een telefoonnummer toegevoegd aan uw account. SMS-codes gaan voortaan naar dat nummer. Klopt dit? Dan hoeft u niets te doen.

mail-account-deleted-subject = Uw account is verwijderd
mail-account-deleted-text = Op { $when } is uw account verwijderd, met de gegevens die wij van u hadden. U kunt er niet meer mee inloggen.
mail-account-deleted-not-you = Vroeg u dit niet zelf? Neem dan meteen contact op met de helpdesk.

mail-phone-changed-subject = Uw telefoonnummer is veranderd
mail-phone-changed-text = Het telefoonnummer van uw account is veranderd op { $when }. SMS-codes gaan voortaan naar het nieuwe nummer. Klopt dit? Dan hoeft u niets te doen.
mail-phone-changed-not-you = Klopt dit niet? Neem dan meteen contact op met de helpdesk.
mail-phone-changed-call = Klopt dit niet? Bel dan meteen { $phone }.

mail-account-created-subject = Er is een account voor u gemaakt
mail-account-created-text = Er is een account voor u gemaakt. Hieronder staat hoe u de eerste keer inlogt.
mail-account-created-email = Uw e-mailadres:
mail-account-created-username = Uw gebruikersnaam:
mail-account-created-password = Uw tijdelijke wachtwoord:
mail-account-created-rule = Het tijdelijke wachtwoord werkt één keer, tot { $until }. Daarna kiest u zelf een wachtwoord.

mail-invited-subject = Er is een account voor u gemaakt
mail-invited-text = Er is een account voor u gemaakt met dit e-mailadres. Kies eerst een wachtwoord. Daarna kunt u inloggen.
mail-invited-how = Vul op de website uw e-mailadres in. U krijgt dan een mail waarmee u een wachtwoord kiest.
mail-invited-how-username = Vul op de website uw gebruikersnaam en uw e-mailadres in. U krijgt dan een mail waarmee u een wachtwoord kiest.

mail-email-change-subject = Bevestig uw nieuwe e-mailadres
mail-email-change-text = U wilt dit e-mailadres gaan gebruiken voor uw account. Bevestig nu dat dit adres van u is.
mail-email-change-ignore = Vroeg u dit niet aan? Dan hoeft u niets te doen.

mail-email-changed-subject = Uw e-mailadres is veranderd
mail-email-changed-text = Het e-mailadres van uw account is veranderd op { $when }. U logt voortaan in met het nieuwe adres. Klopt dit? Dan hoeft u niets te doen.

mail-desk-notice-subject = Er is iets veranderd aan uw account
mail-desk-notice-text = Een medewerker heeft op { $when } iets veranderd aan uw account:
mail-desk-notice-not-right = Klopt dit niet? Neem dan contact op met de helpdesk.

sms-phone-removed = Uw account gebruikt dit telefoonnummer niet meer. Klopt dit niet? Bel dan de helpdesk.
sms-phone-changed = Uw account gebruikt voortaan een ander telefoonnummer.
sms-phone-changed-at = Uw account bij { $brand } gebruikt voortaan een ander telefoonnummer.
sms-phone-changed-call = Klopt dit niet? Bel { $phone }.
sms-phone-changed-ask = Klopt dit niet? Bel dan de helpdesk.
# One message has 160 characters, the name and the address of the site included.
sms-code = Uw code is { $code }.
sms-code-sign-in = Uw code om in te loggen bij { $brand } is { $code }.
sms-code-number = Uw code om dit nummer te bevestigen bij { $brand } is { $code }.
sms-code-after-dash = Vul in wat na het streepje staat.
sms-code-nobody = Geef deze code aan niemand.

mail-security-notice-subject = Er is iets veranderd aan hoe u inlogt
mail-security-notice-text = Op { $when } is dit gebeurd met uw account:
mail-on-device = Dat gebeurde op: { $device }.
mail-security-notice-not-you = Was u dit niet? Kies dan meteen een nieuw wachtwoord, en neem contact op met de helpdesk.
mail-recovery-code-used-subject = Er is ingelogd met een herstelcode
mail-recovery-code-used-text = Op { $when } is een van uw herstelcodes gebruikt om in te loggen. Dat gebeurde op: { $device }.
mail-recovery-code-used-left = U hebt nog { $left } herstelcodes.
mail-recovery-code-used-few = Dat zijn er niet veel meer. Maak nieuwe codes op de pagina 'Mijn account'.
