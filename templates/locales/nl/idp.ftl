# The pages of the identity provider. Language level B1, 'u'.

## Sign in

signin-title = Inloggen bij { $portal }
signin-for-client = Na het inloggen gaat u verder naar { $client }.
email-label = E-mailadres
username-label = Gebruikersnaam
password-label = Wachtwoord
signin-submit = Inloggen
signin-cancel = Annuleren
forgot-link = Wachtwoord opvragen
public-computer-label = Publieke computer
public-computer-hint = Gebruiken anderen dit apparaat ook? Zet dan een vinkje. Wij onthouden hier dan niets.
no-account-title = Nog geen account?
no-account-text = Een account maken duurt ongeveer vijf minuten.
register-link = Nieuw account aanmaken
back-to-signin = Terug naar inloggen
back-to-account = Terug naar mijn account

signin-error = De combinatie klopt niet, of er is te vaak een verkeerd wachtwoord ingevuld. Controleer wat u invulde en probeer het nog eens. Lukt het niet? Wacht dan { $minutes } minuten, of kies 'Wachtwoord opvragen'.
error-csrf = Deze pagina stond te lang open. Vul uw gegevens nog een keer in.

notice-confirmed = Uw e‑mailadres is bevestigd. U kunt nu inloggen.
notice-confirm-with-password = Bijna klaar. Log hier in met het wachtwoord dat u koos. Dan is uw e‑mailadres bevestigd. Koos u geen wachtwoord? Kies dan 'Wachtwoord opvragen'.
notice-password-changed = Uw wachtwoord is veranderd. Log in met uw nieuwe wachtwoord.
notice-signed-out = U bent uitgelogd.
notice-cancelled = U bent gestopt met inloggen. Wilt u toch verder? Log dan hieronder in.

## Passwords

password-rules-title = Uw wachtwoord:
password-rule-length = heeft { $min } tekens of meer
password-rule-classes = heeft een hoofdletter, een kleine letter en een cijfer of leesteken
password-rule-not-common = is geen wachtwoord dat veel mensen gebruiken
password-rule-not-you = bevat niet uw naam of e‑mailadres
password-rule-phrase = mag een zin zijn: een paar losse woorden zijn sterk en goed te onthouden
new-password-title = Kies een nieuw wachtwoord
new-password-lead = U logde in met een tijdelijk wachtwoord. Kies nu een wachtwoord dat alleen u weet.
new-password-label = Nieuw wachtwoord
new-password-submit = Wachtwoord opslaan

password-empty = Vul een wachtwoord in.
password-choose = Kies een wachtwoord.
password-too-short = Dit wachtwoord is te kort. Gebruik { $min } tekens of meer.
password-too-long = Dit wachtwoord is te lang. Kies een korter wachtwoord.
password-common = Veel mensen gebruiken dit wachtwoord, of het is ooit gestolen. Kies een ander wachtwoord.
password-weak = Dit wachtwoord is makkelijk te raden. Maak het langer, bijvoorbeeld met een paar losse woorden.
password-contains-you = Uw naam of e‑mailadres staat in dit wachtwoord. Kies een ander wachtwoord.
password-classes = Gebruik een hoofdletter, een kleine letter en een cijfer of leesteken.
password-same = Dit is uw oude wachtwoord. Kies een ander wachtwoord.

## Phone and code

phone-title = Uw telefoonnummer
phone-lead = Wij sturen u een SMS met een code. Zo weten wij zeker dat u het bent.
phone-label = Telefoonnummer
phone-hint = Een Nederlands mobiel nummer, bijvoorbeeld 06-12345678
phone-submit = Stuur beveiligingscode via SMS
phone-empty = Vul uw mobiele telefoonnummer in.
phone-not-dutch-mobile = Vul een Nederlands mobiel nummer in dat begint met 06. Een vast of buitenlands nummer kan niet.

code-request-title = Vraag uw inlogcode aan
code-request-lead = Wij sturen een SMS met een code naar { $phone }. Houd uw telefoon bij de hand.
code-request-submit = sms-inlogcode aanvragen

code-title = Vul de code in
code-lead = Wij stuurden een SMS naar { $phone }. Daarin staat een code van { $digits } cijfers.
code-lead-prefix = Wij stuurden een SMS naar { $phone }. De code begint met { $prefix }. Vul in wat er na het streepje staat: { $digits } cijfers.
code-valid =
    { $minutes ->
        [one] De code werkt 1 minuut.
       *[other] De code werkt { $minutes } minuten.
    }
code-label = Code uit de SMS
code-submit = Verifiëren
code-resend = Stuur een nieuwe code
code-elsewhere = Wij stuurden u net al een SMS. Die code hoort bij de pagina waar u toen was. Wacht even; daarna kunt u hier een nieuwe code aanvragen.
code-limit-sent = U kreeg vandaag al het hoogste aantal codes. Morgen kunt u weer een code aanvragen. Kunt u niet wachten? Neem dan contact op met de helpdesk.
code-limit-wrong = Er zijn vandaag te veel verkeerde codes ingevuld. Morgen kunt u weer inloggen met een code. Was u dit niet zelf, of kunt u niet wachten? Neem dan contact op met de helpdesk.
code-limit-nobody = Weet u niet wie u kunt bellen? Vraag het aan uw zorgorganisatie.
code-limit-title = Vandaag kan dit niet meer
sms-unavailable-title = Wij kunnen geen SMS sturen
code-resent = Wij stuurden een nieuwe code. De vorige code werkt niet meer.
another-number = Een ander nummer gebruiken
resend-wait-before = Dit kan weer over
resend-wait-after = seconden.

code-empty = Vul de code in.
code-malformed = De code heeft { $digits } cijfers. Kijk nog eens in de SMS.
code-other-page = Deze code hoort niet bij deze pagina. De code van deze pagina begint met { $prefix }. Kijk of er een nieuwere SMS is.
code-wrong =
    { $tries ->
        [one] Deze code klopt niet. U kunt het nog 1 keer proberen.
       *[other] Deze code klopt niet. U kunt het nog { $tries } keer proberen.
    }
code-ended = U vulde te vaak een verkeerde code in. Deze code werkt niet meer. Vraag een nieuwe code aan.
code-expired = Deze code is te oud. Vraag een nieuwe code aan.
resend-too-soon = U vroeg net al een code aan. Wacht even en probeer het dan nog eens.
resend-limit = U vroeg te vaak een code aan. Probeer het later nog eens, of neem contact op met de helpdesk.
sms-unavailable = Wij kunnen nu geen SMS sturen. Probeer het over een paar minuten nog eens.

no-sms-title = Krijgt u geen SMS?
no-sms-wait = Wacht een paar minuten. Soms komt een SMS later aan.
no-sms-coverage = Kijk of uw telefoon bereik heeft. Ga eventueel bij een raam staan of naar buiten.
no-sms-full = Is de inbox van uw telefoon vol? Verwijder dan oude berichten.
no-sms-sim = Zet uw telefoon uit. Haal de simkaart eruit, doe hem terug en zet de telefoon weer aan.
no-sms-number = Klopt het nummer niet meer? Vraag het zorgteam om een ander nummer in te vullen.
no-sms-number-own = Klopt het nummer niet? Kies dan 'Een ander nummer gebruiken'.
no-sms-number-helpdesk = Heeft u dit nummer niet meer? Neem dan contact op met de helpdesk. Die controleert wie u bent en haalt het oude nummer weg. Daarna vult u zelf een nieuw nummer in.

## Consent and terms

consent-title = Gegevens delen met { $client }
consent-lead = { $client } vraagt om deze gegevens van u:
consent-note = Kiest u 'Niet delen'? Dan kunt u niet inloggen bij { $client }.
consent-other = Het recht '{ $scope }' bij die website
consent-about = Over { $client }
consent-policy = Hoe { $client } met uw gegevens omgaat
consent-terms = De voorwaarden van { $client }
consent-allow = Delen en doorgaan
consent-deny = Niet delen
scope-openid = Een vast kenmerk, zodat u de volgende keer herkend wordt
scope-profile = Uw naam
scope-email = Uw e‑mailadres
scope-phone = Uw telefoonnummer
scope-address = Uw adres
scope-offline_access = Toegang tot deze gegevens, ook als u niet ingelogd bent
scope-care_team = Uw rol in het zorgteam en uw organisatie

terms-title = Gebruiks­voorwaarden
terms-lead = Voor u { $portal } gebruikt, vragen wij u om de voorwaarden te lezen.
terms-lead-changed = De voorwaarden van { $portal } zijn veranderd. Lees ze nog een keer.
terms-read = Lees de voorwaarden
terms-accept = Ik ga akkoord met de voorwaarden (versie { $version })
terms-submit = Doorgaan
terms-not-accepted = Zet een vinkje als u akkoord gaat. Anders kunt u niet verder.

## Register

register-title = Nieuw account aanmaken
register-lead = Vul uw gegevens in. Daarna krijgt u een mail om uw e‑mailadres te bevestigen.
given-name-label = Voornaam
family-name-label = Achternaam
register-email-hint = Met dit adres logt u straks in.
register-submit = Registreren
have-account-link = Ik heb al een account
email-invalid = Vul een e‑mailadres in, bijvoorbeeld naam@voorbeeld.nl.
username-missing = Vul uw gebruikersnaam in.
username-invalid = Dit is geen gebruikersnaam. Een gebruikersnaam bestaat uit letters (a tot z), cijfers, punt, streepje en laag streepje. Kijk in de mail die u kreeg.
email-empty = Vul uw e‑mailadres in.
name-too-long = Deze naam is te lang. Gebruik niet meer dan 80 tekens.
name-hidden-marks = In deze naam staat een teken dat u niet ziet. Dat gebeurt soms bij plakken. Maak het veld leeg en typ de naam.
name-signs = In deze naam staat een teken dat niet kan. Gebruik letters, spaties, streepjes, punten en apostroffen, en geen tekens zoals < > / @ : ; of ".
given-name-missing = Vul uw voornaam in.
family-name-missing = Vul uw achternaam in.

mail-sent-title = Kijk in uw mail
register-sent-lead = Wij stuurden een mail naar { $email }.
mail-do-open = Open de mail van ons. Het kan een paar minuten duren voor hij er is.
register-sent-do-button = Klik in de mail op 'Bevestigen'.
register-sent-elsewhere = Opent u de mail op een ander apparaat? Log dan dáár in. Of typ hier de code uit de mail.
mail-do-spam = Geen mail? Kijk dan in de map met spam of ongewenste mail.
register-resend = Bevestigingsmail nogmaals versturen
mail-resent = Wij stuurden de mail opnieuw.
mail-code-title = Liever een code typen?
mail-code-label = Code uit de mail
mail-code-hint = De code staat onderaan de mail. Handig als u de mail op een ander apparaat leest.
mail-code-submit = Doorgaan
mail-code-wrong = Deze code klopt niet, of is te oud. Kijk nog eens in de mail.
mail-code-malformed = De code in de mail heeft { $digits } cijfers. Kijk nog eens in de mail.
confirm-title = Bevestig uw e‑mailadres
confirm-lead = Klik op 'Bevestigen'. Dan weten wij dat dit e‑mailadres van u is. Daarna logt u in.
confirm-submit = Bevestigen

## Forgotten password

forgot-title = Wachtwoord opvragen
forgot-lead = Vul uw e‑mailadres in. Wij sturen u een mail waarmee u een nieuw wachtwoord kiest.
forgot-lead-username = Vul uw gebruikersnaam en uw e‑mailadres in. Wij sturen u een mail waarmee u een nieuw wachtwoord kiest.
forgot-submit = Stuur mij een mail
forgot-sent-lead = Is { $email } bij ons bekend? Dan krijgt u een mail.
forgot-sent-do-button = Klik in de mail op 'Nieuw wachtwoord kiezen'.
forgot-resend = Mail nogmaals versturen
reset-title = Kies een nieuw wachtwoord
reset-lead = Hierna logt u in met uw nieuwe wachtwoord.

## When something is in the way

link-invalid-title = Deze link werkt niet meer
link-invalid-text = De link is te oud of al een keer gebruikt. Vraag een nieuwe mail aan, of probeer in te loggen.
journey-expired-title = Begin opnieuw met inloggen
journey-expired-text = Deze pagina stond te lang open, of u logde in een ander tabblad in. Er is niets misgegaan. Begin gewoon opnieuw.
too-many-title = Even rustig aan
too-many-text = U probeerde dit te vaak achter elkaar. Wacht een paar minuten en probeer het dan nog eens.
busy-title = Het is erg druk
busy-text = Veel mensen loggen nu in. Wacht een minuut en probeer het dan nog eens.
not-found-title = Deze pagina is er niet
not-found-text = Misschien is het adres verkeerd getypt, of bestaat de pagina niet meer.
server-error-title = Er ging iets mis bij ons
server-error-text = Dit ligt niet aan u. Probeer het over een paar minuten nog eens. Blijft het misgaan? Neem dan contact op met de helpdesk.
error-request-title = U kunt nu niet inloggen
error-request-text = De website waar u vandaan komt, stuurde ons een verkeerde vraag. Ga terug naar die website en probeer het nog eens. Blijft het misgaan? Neem dan contact op met de helpdesk.
error-request-id = Belt of mailt u de helpdesk? Noem dan dit kenmerk:
error-for-administrator = Voor de beheerder van die website:
error-start-again = Begin opnieuw
start-again = Begin opnieuw
try-again = Probeer het nog eens
request-new-mail = Nieuwe mail aanvragen

## Sign out

logout-title = Wilt u uitloggen?
logout-lead = U logt uit op dit apparaat.
logout-lead-portal = U logt uit bij { $portal } en bij andere portalen die u op dit apparaat open heeft.
logout-confirm = Ja, uitloggen
logout-stay = Nee, ingelogd blijven
not-signed-in-title = U bent niet ingelogd
not-signed-in-lead = Er was niets om uit te loggen.
logged-out-title = U bent uitgelogd
logged-out-lead = Gebruiken anderen deze computer ook? Sluit dan alle vensters van de browser.
to-portal = Naar { $portal }

## Home and account

home-title = Welkom
home-lead = Hier logt u veilig in op uw zorgportaal.
home-account = Naar mijn account
nav-label = Menu
signout = Uitloggen

account-title = Mijn account
account-me-title = Mijn gegevens
account-name = Naam
account-phone = Telefoonnummer
account-none = Niet ingevuld
account-change = Wijzigen
account-devices-title = Bekende apparaten
account-devices-text = Op deze apparaten logde u eerder in. Herkent u een apparaat niet? Vergeet het dan, en verander uw wachtwoord.
account-no-devices = Er zijn geen apparaten bekend.
account-this-device = Dit apparaat
account-last-used = Laatst gebruikt: { $when }
account-forget = Vergeten
account-forget-all = Alle apparaten vergeten
account-sessions-title = Waar u ingelogd bent
account-this-session = Hier bent u nu
account-since = Sinds { $when }
account-end-session = Uitloggen
account-end-all = Overal uitloggen
account-history-title = Wat er gebeurde
account-history-text = Ziet u iets wat u niet zelf deed? Verander dan uw wachtwoord en neem contact op met de helpdesk.
account-consents-title = Met wie u gegevens deelt
account-consents-text = Deze websites mogen gegevens van u krijgen. Trekt u dat in? Dan vragen zij het de volgende keer opnieuw.
account-withdraw = Intrekken
account-notice-consent = Ingetrokken. Deze website krijgt geen gegevens meer van ons.
event-consent-withdrawn = Toestemming om gegevens te delen ingetrokken
account-data-title = Mijn gegevens meenemen of verwijderen
account-download = Gegevens downloaden
account-delete = Account verwijderen

email-sent-lead = Wij stuurden een mail naar { $email }.

change-email-title = E‑mailadres wijzigen
change-email-lead = Uw adres is nu { $email }. Vul uw nieuwe adres in. Wij sturen daar een mail heen. Pas als u die bevestigt, verandert het adres.
change-email-label = Nieuw e‑mailadres
change-email-submit = Stuur mij een mail
change-email-confirm-lead = Uw nieuwe adres wordt { $email }.
email-same = Dit is al uw e‑mailadres.
change-phone-title = Telefoonnummer wijzigen
change-phone-lead = Wij sturen een SMS met een code naar uw nieuwe nummer. Daarna vergeten wij uw bekende apparaten.
change-phone-label = Nieuw telefoonnummer
phone-same = Dit is al uw telefoonnummer.
change-password-title = Wachtwoord wijzigen
change-password-lead = Hierna bent u op andere apparaten uitgelogd.
current-password-label = Huidig wachtwoord
current-password-empty = Vul uw huidige wachtwoord in.
current-password-wrong = Dit wachtwoord klopt niet, of er is te vaak een verkeerd wachtwoord ingevuld.
delete-title = Account verwijderen
delete-lead = Uw account en uw gegevens bij ons worden verwijderd. Dit kan niet meer terug. U kunt dan niet meer inloggen op uw portalen.
delete-word = VERWIJDEREN
delete-label = Typ het woord VERWIJDEREN
delete-wrong = Typ het woord VERWIJDEREN, in hoofdletters of kleine letters.
delete-submit = Mijn account verwijderen
download-lead = U krijgt één bestand met alles wat wij van u bewaren: uw gegevens, uw apparaten, waar u bent ingelogd en wat er is gebeurd.
download-careful = Bewaar het bestand op een plek waar anderen het niet kunnen lezen.
download-submit = Bestand downloaden
history-times = { $times } keer op deze dag, de laatste keer om { $when }
deleted-title = Uw account is verwijderd
deleted-text = U krijgt hierover nog één mail. U kunt dit venster sluiten.
account-notice-email = Uw e‑mailadres is veranderd.
account-notice-phone = Uw telefoonnummer is opgeslagen.
account-notice-password = Uw wachtwoord is veranderd.
account-notice-device = Opgeslagen. Wij zijn dit apparaat vergeten.
account-notice-devices = Opgeslagen. Wij zijn alle apparaten vergeten.
account-notice-session = Gelukt. U bent daar uitgelogd.
account-device-trusted = Geen code nodig tot { $until }

event-signed-in = Ingelogd
event-sign-in-failed = Verkeerd wachtwoord ingevuld
event-locked = Inloggen geblokkeerd na verkeerde wachtwoorden
event-password-changed = Wachtwoord veranderd
event-phone-added = Telefoonnummer toegevoegd
event-code-limit = Te vaak een code aangevraagd of verkeerd ingevuld
event-account-deleted = Account verwijderd
event-data-downloaded = Gegevens gedownload
event-phone-removed = Telefoonnummer weggehaald
event-phone-changed = Telefoonnummer veranderd
event-email-changed = E-mailadres veranderd
event-device-remembered = Ingelogd op een nieuw apparaat
event-device-forgotten = Apparaat vergeten
event-session-ended = Sessie beëindigd
event-registered = Account aangemaakt
event-confirmed = E-mailadres bevestigd
event-signed-out = Uitgelogd
event-account-created = Account aangemaakt door een medewerker
event-invited-again = Mail om te beginnen opnieuw verstuurd
event-address-refused = Aan de balie een e‑mailadres ingevuld waarmee geen account kan
event-unlocked = Inloggen weer mogelijk gemaakt
event-blocked = Account geblokkeerd
event-unblocked = Blokkade van account opgeheven
event-terms-accepted = Akkoord met de gebruiksvoorwaarden

## The care team's desk

desk-nav = Accounts
desk-back = Terug naar alle accounts
desk-back-to = Terug naar { $name }
desk-title = Accounts van gebruikers
desk-lead = Hier maakt u accounts voor cliënten en hun naasten, en helpt u hen als inloggen niet lukt. U werkt voor { $organisation }.
desk-lead-self-registered = U ziet hier ook mensen die zelf een account hebben gemaakt.
desk-self-registered = heeft zelf een account gemaakt
desk-new = Nieuw account maken
desk-search-label = Zoek een account
desk-search-hint = Op naam, e‑mailadres of gebruikersnaam. Een deel is genoeg.
desk-search = Zoeken
desk-search-all = Toon alle accounts
desk-accounts = Alle accounts
desk-found = Gevonden voor '{ $search }'
desk-nothing-found = Wij vonden geen account. Controleer wat u typte, of zoek op een deel van de naam.
desk-nobody = Uw team heeft nog geen accounts gemaakt.
desk-look = Bekijken
desk-last-signed-in = Laatst ingelogd: { $when }
desk-pages-label = Andere pagina's van deze lijst
desk-pages-previous = Vorige pagina
desk-pages-next = Volgende pagina

desk-state-invited = Nog niet ingelogd
desk-state-mail-spent = Tijdelijk wachtwoord werkt niet meer
desk-state-active = Actief
desk-state-locked = Inloggen kan even niet
desk-state-codes-locked = Codes werken vandaag niet
desk-state-blocked = Geblokkeerd
desk-until-invited = Tijdelijk wachtwoord werkt tot { $until }
desk-until-locked = tot { $until }
desk-help-invited = De gebruiker kreeg een mail om te beginnen. Is de mail niet aangekomen? Controleer dan het e‑mailadres, of stuur de mail opnieuw.
desk-help-mail-spent = Het tijdelijke wachtwoord is te oud of al gebruikt. Stuur de mail opnieuw.
desk-help-active = Wachtwoord vergeten? Dan kiest de gebruiker zelf een nieuw wachtwoord met 'Wachtwoord opvragen' op de inlogpagina.
desk-help-locked = Er is te vaak een verkeerd wachtwoord ingevuld. Het gaat vanzelf weer open. Kan de gebruiker niet wachten? Maak inloggen dan weer mogelijk.
desk-help-codes-locked = Er is vandaag te vaak een verkeerde code ingevuld. Morgen gaat het vanzelf weer open. Kan de gebruiker niet wachten? Maak inloggen dan weer mogelijk.
desk-help-blocked = Een medewerker heeft dit account geblokkeerd. De gebruiker kan niet inloggen.

desk-facts = Dit account
desk-fact-last = Laatst ingelogd
desk-mail-refused = De mailserver van { $email } neemt geen mail aan voor dit adres (laatst geprobeerd: { $when }). Vraag of het adres klopt. Wijzig het als het anders is.
desk-mail-late = Een mail aan { $email } kwam twee dagen lang niet aan (opgegeven: { $when }). Vraag of het adres klopt, en stuur de mail daarna opnieuw.
desk-never = Nog nooit
desk-acts = Wat wilt u doen?
desk-by = Door { $name }
desk-by-somebody = Door een medewerker

desk-create-title = Nieuw account maken
desk-create-lead = Vul de gegevens in van de gebruiker. Die krijgt een mail om te beginnen met inloggen.
desk-email-hint = Het e‑mailadres van de gebruiker zelf. Hier gaat de mail heen, dus controleer het goed.
desk-username-hint = Hiermee logt de gebruiker in. 3 tot 64 tekens: letters, cijfers, punt, streepje of laag streepje. Bijvoorbeeld a.bakker
desk-phone-label = Mobiel telefoonnummer
desk-phone-label-optional = Mobiel telefoonnummer (hoeft niet)
desk-phone-hint = Een Nederlands mobiel nummer van de gebruiker, bijvoorbeeld 06‑12345678. Hier gaan de SMS‑codes heen.
desk-language-label = Taal van mails en SMS
desk-language-nl = Nederlands
desk-language-en = Engels
desk-create-reason-label = Waarom maakt u dit account?
desk-create-reason-hint = Bijvoorbeeld: dochter is contactpersoon. De gebruiker kan dit lezen. Schrijf geen nummers op en niets over de gezondheid.
desk-create-submit = Account maken en mail sturen
desk-existing = Bekijk dat account
desk-reason-label = Waarom doet u dit?
desk-reason-hint = Bijvoorbeeld: gebeld met de dochter. De gebruiker kan dit lezen. Schrijf geen nummers op en niets over de gezondheid.

desk-reason-missing = Schrijf kort op waarom u dit doet.
desk-reason-long = Deze reden is te lang. Schrijf één korte zin.
desk-reason-number = In deze reden staat een lang nummer. Haal het weg: telefoonnummers en andere nummers horen hier niet.
desk-needs-colleague = U heeft bij dit account kort geleden het andere veranderd: het telefoonnummer of het e‑mailadres. Laat een collega deze wijziging doen, of doe het zelf na { $until }. Zo kan niemand in zijn eentje een account overnemen.
desk-email-taken = Met dit e‑mailadres kunnen wij geen account maken. Gebruik een ander adres, of vraag de beheerder van uw organisatie om hulp.
desk-email-taken-here = Uw organisatie heeft al een account met dit e‑mailadres.
desk-username-invalid = Vul een gebruikersnaam in van 3 tot 64 tekens. Gebruik alleen letters (a tot z), cijfers, punt, streepje of laag streepje.
desk-username-missing = Vul een gebruikersnaam in.
desk-username-taken = Deze gebruikersnaam is niet vrij. Kies een andere.
desk-phone-missing = Vul het mobiele telefoonnummer van de gebruiker in. Daar gaan de SMS-codes heen.
desk-language-missing = Kies een taal.

desk-current = Nu:
desk-act-mail-title = Mail opnieuw sturen
desk-act-mail-lead = { $name } krijgt een nieuwe mail om te beginnen met inloggen. Wat in de vorige mail stond, werkt daarna niet meer.
desk-act-mail-submit = Mail sturen
desk-act-unlock-title = Inloggen weer mogelijk maken
desk-act-unlock-lead = { $name } kan daarna meteen weer inloggen. Weet u zeker dat u met { $name } zelf praat?
desk-act-unlock-submit = Inloggen weer mogelijk maken
desk-act-phone-title = Telefoonnummer wijzigen
desk-act-phone-lead = De SMS-codes van { $name } gaan daarna naar het nieuwe nummer. { $name } wordt overal uitgelogd en krijgt een mail. Weet u zeker dat het nummer van { $name } is?
desk-act-phone-submit = Nummer opslaan
desk-act-email-title = E-mailadres wijzigen
desk-act-email-lead = De mails aan { $name } gaan daarna naar het nieuwe adres. { $name } wordt overal uitgelogd. Wij sturen een mail naar het oude en het nieuwe adres. Weet u zeker dat het adres van { $name } is?
desk-act-email-submit = Adres opslaan
desk-act-factors-title = App, passkeys en herstelcodes weghalen
desk-act-factors-lead = Doe dit als { $name } de telefoon of de codes kwijt is, en u zeker weet dat u { $name } spreekt. { $name } wordt overal uitgelogd en logt daarna in met het wachtwoord en een code per SMS.
desk-act-factors-submit = Weghalen
desk-notice-factors = App, passkeys en herstelcodes zijn weggehaald. Wij sturen { $name } hierover een mail.
event-factors-removed = App, passkeys en herstelcodes weggehaald door een medewerker
desk-act-sessions-title = Overal uitloggen
desk-act-sessions-lead = { $name } wordt uitgelogd op alle apparaten en bij alle portalen. { $name } kan daarna gewoon weer inloggen.
desk-act-sessions-submit = Overal uitloggen
desk-act-block-title = Account blokkeren
desk-act-block-lead = { $name } wordt overal uitgelogd en kan niet meer inloggen, tot u de blokkade opheft.
desk-act-block-submit = Account blokkeren
desk-act-unblock-title = Blokkade opheffen
desk-act-unblock-lead = { $name } kan daarna weer inloggen.
desk-act-unblock-submit = Blokkade opheffen

desk-notice-create = Het account is gemaakt. Wij sturen een mail naar { $email }.
desk-notice-mail = Wij sturen de mail opnieuw naar { $email }.
desk-notice-unlock = { $name } kan weer inloggen. Wij sturen { $name } hierover een mail.
desk-notice-phone = Het telefoonnummer is opgeslagen. Wij sturen { $name } hierover een mail.
desk-notice-email = Het e‑mailadres is opgeslagen. Wij sturen een mail naar het oude en het nieuwe adres.
desk-notice-sessions = { $name } is overal uitgelogd. Wij sturen { $name } hierover een mail.
desk-notice-block = Het account is geblokkeerd. Wij sturen { $name } hierover een mail.
desk-notice-unblock = { $name } kan weer inloggen. Wij sturen { $name } hierover een mail.

no-desk-title = Deze pagina is voor het zorgteam
no-desk-text = Uw account hoort niet bij een zorgteam. Werkt u wel in een zorgteam? Vraag dan de beheerder van uw organisatie om een account voor medewerkers.
desk-limit-title = Vandaag kan dit niet meer
desk-limit-text = U deed dit vandaag al heel vaak. Morgen kan het weer. Kunt u niet wachten? Vraag dan een collega of de beheerder.

## Development

outbox-lead = Mails en SMS-berichten die hier zijn opgevangen. De nieuwste staat bovenaan. Alleen voor ontwikkelaars.
outbox-empty = Er is nog niets verstuurd.

page-too-old-title = Deze pagina stond te lang open
page-too-old-text = Voor uw veiligheid moet u opnieuw beginnen. Uw gegevens zijn niet verstuurd.
cookies-off-title = Cookies staan uit
cookies-off-text = Uw browser bewaart onze cookies niet. Zonder cookies weten wij op de volgende pagina niet meer dat u het bent. Zet cookies aan in de instellingen van uw browser, of gebruik een andere browser. Gebruikt u een privévenster? Open dan een gewoon venster. Begin daarna opnieuw.
bad-form-title = Dit formulier is niet goed aangekomen
bad-form-text = Er staan tekens in die wij niet kunnen lezen. Begin opnieuw en typ de gegevens zelf in.

form-post-title = U bent bijna klaar
form-post-lead = Klik op de knop om terug te gaan naar het portaal.
form-post-button = Verder naar het portaal

# After the end of a session
session-ended-title = U bent uitgelogd
session-ended-text = U heeft een tijd niets gedaan, of u was al lang ingelogd. Dan loggen we u uit. Zo kan niemand anders bij uw gegevens. Wilt u verder? Log dan opnieuw in.
session-ended-button = Opnieuw inloggen
session-elsewhere-title = Deze pagina is gesloten
session-elsewhere-text = U heeft op deze pagina een tijd niets gedaan. In een ander venster bent u nog ingelogd.
session-elsewhere-button = Verder

## Second factors other than SMS

other-ways-title = Lukt het niet? Kies een andere manier
way-passkey = Met een passkey
way-app = Met een code uit een app
way-sms = Met een code per SMS
way-recovery-code = Met een herstelcode
way-new-phone = Met een code per SMS
way-new-passkey = Met een passkey
way-new-app = Met een code uit een app
app-code-title = Vul de code uit uw app in
app-code-lead = Open de app op uw telefoon waarmee u codes maakt. Typ de 6 cijfers die daar nu staan.
app-code-label = Code uit de app
app-code-malformed = De code in de app heeft { $digits } cijfers. Kijk nog eens in de app.
app-code-wrong = Deze code klopt niet. De app maakt elke halve minuut een nieuwe code. Typ de code die er nu staat.
app-code-used = Deze code is al gebruikt. Wacht tot de app een nieuwe code laat zien, en typ die.
app-gone = Bij dit account hoort geen app meer. Begin opnieuw met inloggen.
app-help-title = De code klopt steeds niet?
app-help-clock = Kijk of de klok van uw telefoon goed staat. Laat de telefoon de tijd zelf instellen.
app-help-which = Kijk of u in de app de goede regel leest: de naam van deze website staat erbij.
app-help-new = Hebt u een nieuwe telefoon? Gebruik dan een herstelcode, of vraag de helpdesk om hulp.
recovery-code-title = Vul een herstelcode in
recovery-code-lead = Een herstelcode staat op het papier of in het bestand dat u bewaarde. Elke code werkt één keer.
recovery-code-label = Herstelcode
recovery-code-hint = Bijvoorbeeld k7m-pw2qe-9xtab
recovery-code-empty = Vul een herstelcode in.
recovery-code-malformed = Dit is geen herstelcode. Een herstelcode heeft 13 letters en cijfers. De letters l en o en de cijfers 0 en 1 komen er niet in voor.
recovery-code-wrong = Deze herstelcode klopt niet, of is al gebruikt. Probeer een andere code van uw lijst.
new-app-title = Inloggen met een app
new-app-lead = Een app op uw telefoon maakt voortaan de codes om in te loggen. Dat werkt ook zonder bereik.
new-app-install = Zet een app voor codes op uw telefoon. Bijvoorbeeld Google Authenticator, Microsoft Authenticator of Aegis. Hebt u er al een? Dan kunt u die gebruiken.
new-app-scan = Open de app, kies 'toevoegen' en richt de camera op dit vierkant.
new-app-picture = QR-code voor de app. Kunt u die niet zien? Gebruik dan de sleutel hieronder.
new-app-no-camera = Lukt dat niet?
new-app-on-phone = Leest u dit op de telefoon waar de app op staat?
new-app-open = Open de app
new-app-type = Of kies in de app 'sleutel invoeren', en typ:
new-app-code = Typ de 6 cijfers die de app nu laat zien
new-app-submit = Doorgaan
app-key-old = Deze pagina stond te lang open. Verwijder de regel die u net toevoegde uit de app, en scan het nieuwe vierkant.
app-title = Inloggen met een app
app-since = Uw app hoort bij dit account sinds { $when }.
app-replace = Nieuwe telefoon of andere app
app-replace-text = Hebt u een nieuwe telefoon? Koppel dan de app op de nieuwe telefoon. De oude werkt daarna niet meer.
app-remove = App weghalen
factor-stays = Weghalen kan nu niet: zonder deze manier zou u niet meer kunnen inloggen. Voeg eerst een andere manier toe.
recovery-codes-title = Herstelcodes
recovery-codes-lead = Met een herstelcode logt u in als u uw telefoon niet hebt. U krijgt tien codes. Elke code werkt één keer, samen met uw wachtwoord.
recovery-codes-left = U hebt nog { $left } van de codes die u maakte op { $when }.
recovery-codes-void = Maakt u nieuwe codes? Dan werken de oude niet meer.
recovery-codes-make = Codes maken
recovery-codes-made = Uw nieuwe herstelcodes zijn klaar.
recovery-codes-keep = Bewaar deze codes op papier, op een veilige plek. Niet bij uw telefoon, en niet in uw mail.
recovery-codes-once = Wij laten deze codes maar één keer zien.
recovery-codes-download = Bestand opslaan
recovery-codes-print = Afdrukken
recovery-codes-file = herstelcodes
recovery-codes-done = Ik heb de codes bewaard
recovery-codes-no-use = U hebt nog niets waar herstelcodes bij horen. Voeg eerst een passkey, een app of een telefoonnummer toe.
account-ways-title = Hoe u inlogt
account-ways-text = Naast uw wachtwoord. Met een passkey of een app hebt u geen SMS nodig.
account-app = App voor codes
account-app-on = Ingesteld
account-app-off = Niet ingesteld
account-set-up = Instellen
account-recovery-codes = Herstelcodes
account-recovery-left = Nog { $left } over
account-recovery-few = Nog { $left } over. Maak nieuwe codes.
account-recovery-none = Niet gemaakt
account-view = Bekijken
account-notice-app = Uw app is gekoppeld. Vanaf nu logt u in met een code uit de app.
account-notice-app-removed = De app is weggehaald.
event-app-added = App voor codes gekoppeld
event-app-removed = App voor codes weggehaald
event-recovery-codes-made = Herstelcodes gemaakt
event-recovery-code-used = Ingelogd met een herstelcode
passkey-title = Log in met uw passkey
passkey-lead = Uw telefoon, computer of beveiligingssleutel vraagt om uw vinger, gezicht of pincode.
passkey-use = Passkey gebruiken
passkey-signin = Inloggen met een passkey
passkey-make = Passkey maken
passkey-make-another = Nog een passkey maken
passkey-failed = Het lukte niet met deze passkey. Probeer het nog eens, of log op een andere manier in.
passkey-unknown = Deze passkey hoort niet meer bij een account hier. Log op een andere manier in.
passkey-old = Deze pagina stond te lang open, of de knop is al een keer gebruikt. Probeer het nog eens.
passkey-copied = Deze passkey is niet te vertrouwen: er lijkt een kopie van te zijn. Log op een andere manier in, en haal deze passkey weg.
passkey-cancelled = Het is niet gelukt, of u stopte ermee. Probeer het nog eens, of kies een andere manier.
passkey-there = Op dit apparaat staat al een passkey voor dit account.
passkey-no-script = Voor een passkey moet JavaScript aanstaan in uw browser.
passkey-not-here = Passkeys kunnen hier niet.
passkey-not-made = De passkey is niet gemaakt. Probeer het nog eens, of gebruik een ander apparaat.
passkey-too-many = U hebt al zoveel passkeys als kan. Haal er eerst een weg.
new-passkey-title = Maak een passkey
new-passkey-lead = Met een passkey logt u in met uw vinger, gezicht of pincode. Uw telefoon of computer bewaart hem. U hebt geen SMS nodig.
new-passkey-another = U hebt al een passkey, maar dit portaal vraagt er een die op één apparaat blijft, zoals een beveiligingssleutel.
passkeys-title = Passkeys
passkeys-lead = Met een passkey logt u in met uw vinger, gezicht of pincode, zonder wachtwoord en zonder SMS.
passkey-nameless = Passkey
passkey-made = Gemaakt op { $when }
passkey-synced = Werkt op al uw apparaten met dezelfde wachtwoordbeheerder.
passkey-bound = Blijft op één apparaat.
passkey-change = Naam veranderen of weghalen
passkey-name = Naam
passkey-rename = Naam opslaan
passkey-remove = Passkey weghalen
passkey-name-empty = Vul een naam in voor de passkey.
passkey-name-long = Deze naam is te lang. Gebruik niet meer dan { $most } tekens.
account-notice-passkey = Uw passkey is gemaakt. De volgende keer kunt u ermee inloggen.
passkey-notice-named = De naam is opgeslagen.
passkey-notice-removed = De passkey is weggehaald. Haal hem ook weg uit uw telefoon, computer of wachtwoordbeheerder.
account-passkeys = Passkeys
account-passkeys-count = { $count ->
    [one] 1 passkey
   *[other] { $count } passkeys
}
account-passkeys-none = Niet gemaakt
event-passkey-added = Passkey gemaakt
event-passkey-removed = Passkey weggehaald
event-passkey-copied = Er lijkt een kopie te zijn van uw passkey
