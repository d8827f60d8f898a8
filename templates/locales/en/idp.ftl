# The pages of the identity provider.

## Sign in

signin-title = Sign in to { $portal }
email-label = Email address
signin-for-client = After you sign in, you go on to { $client }.
username-label = User name
password-label = Password
signin-submit = Sign in
signin-cancel = Cancel
forgot-link = Request a new password
public-computer-label = Public computer
public-computer-hint = Do others use this device too? Tick this box. We will not remember anything here.
no-account-title = No account yet?
no-account-text = Creating an account takes about five minutes.
register-link = Create a new account
back-to-signin = Back to sign in
back-to-account = Back to my account

signin-error = The combination is not correct, or a wrong password was entered too often. Check what you entered and try again. Still not working? Wait { $minutes } minutes, or choose 'Request a new password'.
error-csrf = This page was open for too long. Please enter your details again.

notice-confirmed = Your email address is confirmed. You can sign in now.
notice-confirm-with-password = Almost done. Sign in here with the password that you chose. Then your email address is confirmed. If you did not choose a password, choose 'Request a new password'.
notice-password-changed = Your password has been changed. Sign in with your new password.
notice-signed-out = You are signed out.
notice-cancelled = You stopped signing in. Do you want to continue after all? Sign in below.

## Passwords

password-rules-title = Your password:
password-rule-length = has { $min } characters or more
password-rule-classes = has an upper case letter, a lower case letter and a digit or symbol
password-rule-not-common = is not a password that many people use
password-rule-not-you = does not contain your name or email address
password-rule-phrase = may be a phrase: a few unrelated words are strong and easy to remember
new-password-title = Choose a new password
new-password-lead = You signed in with a temporary password. Now choose one that only you know.
new-password-label = New password
new-password-submit = Save password

password-empty = Enter a password.
password-choose = Choose a password.
password-too-short = This password is too short. Use { $min } characters or more.
password-too-long = This password is too long. Choose a shorter one.
password-common = Many people use this password, or it was stolen at some time. Choose another one.
password-weak = This password is easy to guess. Make it longer, for example with a few unrelated words.
password-contains-you = Your name or email address is part of this password. Choose another one.
password-classes = Use an upper case letter, a lower case letter and a digit or symbol.
password-same = This is your old password. Choose another one.

## Phone and code

phone-title = Your phone number
phone-lead = We will send you a text message (SMS) with a code, so that we know it is really you.
phone-label = Phone number
phone-hint = A Dutch mobile number, for example 06-12345678
phone-submit = Send security code by SMS
phone-empty = Enter your mobile phone number.
phone-not-dutch-mobile = Enter a Dutch mobile number that starts with 06. Landlines and foreign numbers do not work.

code-request-title = Request your sign-in code
code-request-lead = We will send an SMS with a code to { $phone }. Keep your phone at hand.
code-request-submit = Request SMS sign-in code

code-title = Enter the code
code-lead = We sent an SMS to { $phone }. It contains a code of { $digits } digits.
code-lead-prefix = We sent an SMS to { $phone }. The code starts with { $prefix }. Enter the { $digits } digits after the dash.
code-valid =
    { $minutes ->
        [one] The code works for 1 minute.
       *[other] The code works for { $minutes } minutes.
    }
code-label = Code from the SMS
code-submit = Verify
code-resend = Send a new code
code-elsewhere = We have just sent you an SMS. That code belongs to the page you were on then. Wait a moment. After that, you can request a new code here.
code-limit-sent = You have received the maximum number of codes for today. You can request a code again tomorrow. If you cannot wait, contact the helpdesk.
code-limit-wrong = Too many wrong codes were entered today. You can sign in with a code again tomorrow. If this was not you, or you cannot wait, contact the helpdesk.
code-limit-nobody = Not sure whom to call? Ask your care organisation.
code-limit-title = This is no longer possible today
sms-unavailable-title = We cannot send an SMS
code-resent = We sent a new code. The previous one no longer works.
another-number = Use another number
resend-wait-before = You can do this again in
resend-wait-after = seconds.

code-empty = Enter the code.
code-malformed = The code has { $digits } digits. Check the SMS again.
code-other-page = This code does not belong to this page. The code of this page starts with { $prefix }. Check whether you have a newer text message.
code-wrong =
    { $tries ->
        [one] This code is not correct. You can try 1 more time.
       *[other] This code is not correct. You can try { $tries } more times.
    }
code-ended = You entered a wrong code too many times. This code no longer works. Request a new one.
code-expired = This code is too old. Request a new one.
resend-too-soon = You have just requested a code. Wait a moment and try again.
resend-limit = You requested a code too often. Try again later, or contact the helpdesk.
sms-unavailable = We cannot send an SMS right now. Try again in a few minutes.

no-sms-title = No SMS?
no-sms-wait = Wait a few minutes. Sometimes an SMS arrives late.
no-sms-coverage = Check that your phone has coverage. Stand near a window or go outside if needed.
no-sms-full = Is the inbox of your phone full? Delete old messages.
no-sms-sim = Switch your phone off. Take the SIM card out, put it back and switch the phone on again.
no-sms-number = Is the number no longer right? Ask the care team to enter another number.
no-sms-number-own = Is the number not right? Choose 'Use another number'.
no-sms-number-helpdesk = No longer have this number? Contact the helpdesk. They will check who you are and remove the old number. After that, you can enter a new one yourself.

## Consent and terms

consent-title = Share information with { $client }
consent-lead = { $client } asks for this information about you:
consent-note = If you choose 'Do not share', you cannot sign in to { $client }.
consent-other = The right '{ $scope }' at that website
consent-about = About { $client }
consent-policy = How { $client } handles your information
consent-terms = The terms of { $client }
consent-allow = Share and continue
consent-deny = Do not share
scope-openid = A fixed identifier, so that you are recognised next time
scope-profile = Your name
scope-email = Your email address
scope-phone = Your phone number
scope-address = Your address
scope-offline_access = Access to this information, also when you are not signed in
scope-care_team = Your role in the care team and your organisation

terms-title = Terms of use
terms-lead = Before you use { $portal }, we ask you to read the terms.
terms-lead-changed = The terms of { $portal } have changed. Please read them again.
terms-read = Read the terms
terms-accept = I accept the terms (version { $version })
terms-submit = Continue
terms-not-accepted = Tick the box if you accept. Otherwise you cannot continue.

## Register

register-title = Create a new account
register-lead = Enter your details. You will then get an email to confirm your email address.
given-name-label = First name
family-name-label = Last name
register-email-hint = You will sign in with this address.
register-submit = Register
have-account-link = I already have an account
email-invalid = Enter an email address, for example name@example.nl.
username-missing = Enter your user name.
username-invalid = This is not a username. A username has letters (a to z), digits, dots, hyphens and underscores. Look in the email you received.
email-empty = Enter your email address.
name-too-long = This name is too long. Use no more than 80 characters.
name-hidden-marks = This name contains a character that you cannot see. That sometimes happens when you paste. Clear the field and type the name.
name-signs = This name contains a character that is not allowed. Use letters, spaces, hyphens, dots and apostrophes, and no signs such as < > / @ : ; or ".
given-name-missing = Enter your first name.
family-name-missing = Enter your last name.

mail-sent-title = Check your email
register-sent-lead = We sent an email to { $email }.
mail-do-open = Open our email. It may take a few minutes to arrive.
register-sent-do-button = Click 'Confirm' in the email.
register-sent-elsewhere = If you open the email on another device, sign in there. Or type the code from the email here.
mail-do-spam = No email? Look in the folder with spam or junk email.
register-resend = Send confirmation email again
mail-resent = We sent the email again.
mail-code-title = Prefer to type a code?
mail-code-label = Code from the email
mail-code-hint = The code is at the end of the email. This helps if you read the email on another device.
mail-code-submit = Continue
mail-code-wrong = This code is not right, or is too old. Please look at the email again.
mail-code-malformed = The code in the email has { $digits } digits. Please look at the email again.
confirm-title = Confirm your email address
confirm-lead = Click 'Confirm'. Then we know that this email address is yours. After that, you sign in.
confirm-submit = Confirm

## Forgotten password

forgot-title = Request a new password
forgot-lead = Enter your email address. We will send you an email so that you can choose a new password.
forgot-lead-username = Enter your user name and your email address. We will send you an email so that you can choose a new password.
forgot-submit = Send me an email
forgot-sent-lead = If we know { $email }, you will get an email.
forgot-sent-do-button = Click 'Choose a new password' in the email.
forgot-resend = Send email again
reset-title = Choose a new password
reset-lead = After this you sign in with your new password.

## When something is in the way

link-invalid-title = This link no longer works
link-invalid-text = The link is too old or has been used already. Request a new email, or try to sign in.
journey-expired-title = Please sign in again
journey-expired-text = This page was open for too long, or you signed in in another tab. Nothing is wrong. Simply start again.
too-many-title = Please slow down
too-many-text = You tried this too often in a row. Wait a few minutes and try again.
busy-title = It is very busy
busy-text = Many people are signing in right now. Wait a minute and try again.
not-found-title = Page not found
not-found-text = Perhaps the address was mistyped, or the page no longer exists.
server-error-title = Something went wrong on our side
server-error-text = This is not your fault. Try again in a few minutes. If it keeps going wrong, contact the helpdesk.
error-request-title = You cannot sign in now
error-request-text = The website you came from sent us a request that we cannot accept. Go back to that website and try again. If it keeps going wrong, contact the helpdesk.
error-request-id = Calling or mailing the helpdesk? Mention this reference:
error-for-administrator = For the administrator of that website:
error-start-again = Start again
start-again = Start again
try-again = Try again
request-new-mail = Request a new email

## Sign out

logout-title = Do you want to sign out?
logout-lead = You will be signed out on this device.
logout-lead-portal = You will be signed out of { $portal } and of other portals that you opened on this device.
logout-confirm = Yes, sign out
logout-stay = No, stay signed in
not-signed-in-title = You are not signed in
not-signed-in-lead = There was nothing to sign out of.
logged-out-title = You are signed out
logged-out-lead = Do others use this computer too? Then close all browser windows.
to-portal = Go to { $portal }

## Home and account

home-title = Welcome
home-lead = Here you sign in safely to your care portal.
home-account = Go to my account
nav-label = Menu
signout = Sign out

account-title = My account
account-me-title = My details
account-name = Name
account-phone = Phone number
account-none = Not entered
account-change = Change
account-devices-title = Known devices
account-devices-text = You signed in on these devices before. If you do not recognise a device, forget it and change your password.
account-no-devices = No devices are known.
account-this-device = This device
account-last-used = Last used: { $when }
account-forget = Forget
account-forget-all = Forget all devices
account-sessions-title = Where you are signed in
account-this-session = You are here now
account-since = Since { $when }
account-end-session = Sign out
account-end-all = Sign out everywhere
account-history-title = What happened
account-history-text = Do you see something that you did not do? Change your password and contact the helpdesk.
account-consents-title = With whom you share data
account-consents-text = These websites may have data about you. If you take that back, they ask again next time.
account-withdraw = Take back
account-notice-consent = Taken back. This website gets no more data from us.
event-consent-withdrawn = Consent to share data taken back
account-data-title = Download or delete my data
account-download = Download my data
account-delete = Delete account

email-sent-lead = We sent an email to { $email }.

change-email-title = Change email address
change-email-lead = Your address is now { $email }. Enter your new address. We will send an email to it. The address changes once you confirm it from that email.
change-email-label = New email address
change-email-submit = Send me an email
change-email-confirm-lead = Your new address will be { $email }.
email-same = This is already your email address.
change-phone-title = Change phone number
change-phone-lead = We will send an SMS with a code to your new number. After that we forget your known devices.
change-phone-label = New phone number
phone-same = This is already your phone number.
change-password-title = Change password
change-password-lead = After this, you will be signed out on your other devices.
current-password-label = Current password
current-password-empty = Enter your current password.
current-password-wrong = This password is not correct, or a wrong password was entered too often.
delete-title = Delete account
delete-lead = Your account and your details with us will be deleted. This cannot be undone. After that, you can no longer sign in to your portals.
delete-word = DELETE
delete-label = Type the word DELETE
delete-wrong = Type the word DELETE, in upper or lower case.
delete-submit = Delete my account
download-lead = You get one file with everything that we keep about you: your details, your devices, where you are signed in and what happened.
download-careful = Keep the file in a place where others cannot read it.
download-submit = Download file
history-times = { $times } times on this day, the last time at { $when }
deleted-title = Your account has been deleted
deleted-text = You will get one more email about this. You can close this window.
account-notice-email = Your email address has been changed.
account-notice-phone = Your phone number has been saved.
account-notice-password = Your password has been changed.
account-notice-device = Saved. We have forgotten this device.
account-notice-devices = Saved. We have forgotten all devices.
account-notice-session = Done. You have been signed out there.
account-device-trusted = No code needed until { $until }

event-signed-in = Signed in
event-sign-in-failed = Wrong password entered
event-locked = Sign-in locked after wrong passwords
event-password-changed = Password changed
event-phone-added = Phone number added
event-code-limit = Code requested or entered wrongly too often
event-account-deleted = Account deleted
event-data-downloaded = Data downloaded
event-phone-removed = Phone number removed
event-phone-changed = Phone number changed
event-email-changed = Email address changed
event-device-remembered = Signed in on a new device
event-device-forgotten = Device forgotten
event-session-ended = Session ended
event-registered = Account created
event-confirmed = Email address confirmed
event-signed-out = Signed out
event-account-created = Account created by a member of staff
event-invited-again = Email to get started sent again
event-address-refused = Entered an email address at the desk that cannot have an account
event-unlocked = Sign-in opened again
event-blocked = Account blocked
event-unblocked = Account no longer blocked
event-terms-accepted = Terms of use accepted

## The care team's desk

desk-nav = Accounts
desk-back = Back to all accounts
desk-back-to = Back to { $name }
desk-title = Accounts of users
desk-lead = Here you make accounts for clients and their families, and help them when they cannot sign in. You work for { $organisation }.
desk-lead-self-registered = You also see people who created an account themselves.
desk-self-registered = created the account themselves
desk-new = Make a new account
desk-search-label = Search for an account
desk-search-hint = By name, email address or user name. A part of it is enough.
desk-search = Search
desk-search-all = Show all accounts
desk-accounts = All accounts
desk-found = Found for '{ $search }'
desk-nothing-found = We found no account. Check what you typed, or search for a part of the name.
desk-nobody = Your team has made no accounts yet.
desk-look = View
desk-last-signed-in = Last signed in: { $when }
desk-pages-label = Other pages of this list
desk-pages-previous = Previous page
desk-pages-next = Next page

desk-state-invited = Not signed in yet
desk-state-mail-spent = Temporary password no longer works
desk-state-active = Active
desk-state-locked = Cannot sign in for now
desk-state-codes-locked = Codes do not work today
desk-state-blocked = Blocked
desk-until-invited = Temporary password works until { $until }
desk-until-locked = until { $until }
desk-help-invited = The user was sent an email to get started. Did the email not arrive? Check the email address, or send the email again.
desk-help-mail-spent = The temporary password is too old or was used already. Send the email again.
desk-help-active = Password forgotten? The user chooses a new one with 'Request a new password' on the sign-in page.
desk-help-locked = A wrong password was entered too often. It opens again by itself. Can the user not wait? Then allow sign-in again.
desk-help-codes-locked = A wrong code was entered too often today. It opens again by itself tomorrow. Can the user not wait? Then allow sign-in again.
desk-help-blocked = A member of staff blocked this account. The user cannot sign in.

desk-facts = This account
desk-fact-last = Last signed in
desk-mail-refused = The mail server of { $email } takes no mail for this address (last tried: { $when }). Ask whether the address is right. Change it if it is not.
desk-mail-late = A mail to { $email } could not be delivered for two days (given up: { $when }). Ask whether the address is right, then send the mail again.
desk-never = Never
desk-acts = What do you want to do?
desk-by = By { $name }
desk-by-somebody = By a member of staff

desk-create-title = Make a new account
desk-create-lead = Fill in the details of the user, who will get an email to start signing in.
desk-email-hint = The user's own email address. The email goes there, so check it well.
desk-username-hint = The user signs in with it. 3 to 64 characters: letters, digits, dot, hyphen or underscore. For example a.bakker
desk-phone-label = Mobile phone number
desk-phone-label-optional = Mobile phone number (optional)
desk-phone-hint = A Dutch mobile number of the user, for example 06‑12345678. Codes are sent there by SMS.
desk-language-label = Language of emails and SMS
desk-language-nl = Dutch
desk-language-en = English
desk-create-reason-label = Why do you make this account?
desk-create-reason-hint = For example: daughter is the contact person. The user can read this. Write down no numbers and nothing about health.
desk-create-submit = Make account and send email
desk-existing = View that account
desk-reason-label = Why do you do this?
desk-reason-hint = For example: spoke to the daughter by phone. The user can read this. Write down no numbers and nothing about health.

desk-reason-missing = Write down briefly why you do this.
desk-reason-long = This reason is too long. Write one short sentence.
desk-reason-number = There is a long number in this reason. Take it out: phone numbers and other numbers do not belong here.
desk-needs-colleague = You recently changed the other part of this account: the phone number or the email address. Ask a colleague to make this change, or make it yourself after { $until }. That way nobody can take over an account alone.
desk-email-taken = We cannot make an account with this email address. Use another address, or ask the administrator of your organisation for help.
desk-email-taken-here = Your organisation has an account with this email address already.
desk-username-invalid = Enter a user name of 3 to 64 characters. Use only letters (a to z), digits, dot, hyphen or underscore.
desk-username-missing = Enter a username.
desk-username-taken = This user name is not free. Choose another one.
desk-phone-missing = Enter the mobile phone number of the user. Codes are sent there by SMS.
desk-language-missing = Choose a language.

desk-current = Now:
desk-act-mail-title = Send the email again
desk-act-mail-lead = { $name } gets a new email to start signing in. What the previous email said no longer works then.
desk-act-mail-submit = Send email
desk-act-unlock-title = Allow sign-in again
desk-act-unlock-lead = { $name } can sign in again at once. Are you sure that you are talking to { $name }?
desk-act-unlock-submit = Allow sign-in again
desk-act-phone-title = Change phone number
desk-act-phone-lead = Codes for { $name } go to the new number from then on. { $name } is signed out everywhere and gets an email. Are you sure that the number belongs to { $name }?
desk-act-phone-submit = Save number
desk-act-email-title = Change email address
desk-act-email-lead = Emails to { $name } go to the new address from then on. { $name } is signed out everywhere. We send an email to the old and the new address. Are you sure that the address belongs to { $name }?
desk-act-email-submit = Save address
desk-act-factors-title = Remove app, passkeys and recovery codes
desk-act-factors-lead = Do this if { $name } has lost the phone or the codes, and you are sure that you are speaking to { $name }. { $name } is signed out everywhere, and signs in with the password and a code by SMS after that.
desk-act-factors-submit = Remove
desk-notice-factors = App, passkeys and recovery codes have been removed. We are sending { $name } an email about it.
event-factors-removed = App, passkeys and recovery codes removed by the care team
desk-act-sessions-title = Sign out everywhere
desk-act-sessions-lead = { $name } is signed out on all devices and at all portals, and can sign in again afterwards.
desk-act-sessions-submit = Sign out everywhere
desk-act-block-title = Block account
desk-act-block-lead = { $name } is signed out everywhere and cannot sign in any more until you lift the block.
desk-act-block-submit = Block account
desk-act-unblock-title = Lift the block
desk-act-unblock-lead = { $name } can sign in again afterwards.
desk-act-unblock-submit = Lift the block

desk-notice-create = The account has been made. We are sending an email to { $email }.
desk-notice-mail = We are sending the email again to { $email }.
desk-notice-unlock = { $name } can sign in again. We are sending { $name } an email about it.
desk-notice-phone = The phone number has been saved. We are sending { $name } an email about it.
desk-notice-email = The email address has been saved. We are sending an email to the old and the new address.
desk-notice-sessions = { $name } has been signed out everywhere. We are sending { $name } an email about it.
desk-notice-block = The account has been blocked. We are sending { $name } an email about it.
desk-notice-unblock = { $name } can sign in again. We are sending { $name } an email about it.

no-desk-title = This page is for the care team
no-desk-text = Your account does not belong to a care team. Do you work in a care team? Ask the administrator of your organisation for an account for staff.
desk-limit-title = No more of this today
desk-limit-text = You have done this very often today. You can do it again tomorrow. If you cannot wait, ask a colleague or the administrator.

## Development

outbox-lead = Emails and SMS messages that were caught here. The newest is on top. For developers only.
outbox-empty = Nothing has been sent yet.

page-too-old-title = This page was open for too long
page-too-old-text = For your safety you have to start again. Nothing you typed has been sent.
cookies-off-title = Cookies are switched off
cookies-off-text = Your browser does not keep our cookies. Without cookies we cannot tell on the next page that it is still you. Switch cookies on in your browser settings, or use another browser. Using a private window? Open a normal one. Then start again.
bad-form-title = We could not read this form
bad-form-text = It contains characters that we cannot read. Start again and type the details yourself.

form-post-title = You are almost done
form-post-lead = Click the button to go back to the portal.
form-post-button = Continue to the portal

# After the end of a session
session-ended-title = You are signed out
session-ended-text = You did nothing for a while, or you had been signed in for a long time. Then we sign you out. That way nobody else can see your data. Do you want to go on? Then sign in again.
session-ended-button = Sign in again
session-elsewhere-title = This page is closed
session-elsewhere-text = You did nothing on this page for a while. You are still signed in in another window.
session-elsewhere-button = Go on

## Second factors other than SMS

other-ways-title = Does it not work? Choose another way
way-passkey = With a passkey
way-app = With a code from an app
way-sms = With a code by SMS
way-recovery-code = With a recovery code
way-new-phone = With a code by SMS
way-new-passkey = With a passkey
way-new-app = With a code from an app
app-code-title = Enter the code from your app
app-code-lead = Open the app on your phone that makes your codes. Type the 6 digits that it shows now.
app-code-label = Code from the app
app-code-malformed = The code in the app has { $digits } digits. Please look at the app again.
app-code-wrong = This code is not right. The app makes a new code every half minute. Type the one that it shows now.
app-code-used = This code has been used already. Wait until the app shows a new one, and type that.
app-gone = No app belongs to this account any more. Start signing in again.
app-help-title = Is the code never right?
app-help-clock = Check that the clock of your phone is right. Let the phone set its time by itself.
app-help-which = Check that you read the right line in the app: the name of this website stands beside it.
app-help-new = Do you have a new phone? Then use a recovery code, or ask the helpdesk for help.
recovery-code-title = Enter a recovery code
recovery-code-lead = A recovery code is on the paper or in the file that you kept. Each code works once.
recovery-code-label = Recovery code
recovery-code-hint = For example k7m-pw2qe-9xtab
recovery-code-empty = Enter a recovery code.
recovery-code-malformed = This is not a recovery code. A recovery code has 13 letters and digits. The letters l and o and the digits 0 and 1 are not in it.
recovery-code-wrong = This recovery code is not right, or has been used. Try another code of your list.
new-app-title = Sign in with an app
new-app-lead = An app on your phone makes the codes for signing in from now on. It works without reception too.
new-app-install = Put an app for codes on your phone. For example Google Authenticator, Microsoft Authenticator or Aegis. Do you have one already? Then you can use that.
new-app-scan = Open the app, choose 'add' and point the camera at this square.
new-app-picture = QR code for the app. Can you not see it? Then use the key below.
new-app-no-camera = Does that not work?
new-app-on-phone = Are you reading this on the phone that has the app?
new-app-open = Open the app
new-app-type = Or choose 'enter key' in the app, and type:
new-app-code = Type the 6 digits that the app shows now
new-app-submit = Continue
app-key-old = This page was open for too long. Remove the line that you just added from the app, and scan the new square.
app-title = Sign in with an app
app-since = Your app has belonged to this account since { $when }.
app-replace = New phone or another app
app-replace-text = Do you have a new phone? Then connect the app on the new phone. The old one will not work after that.
app-remove = Remove the app
factor-stays = This cannot be removed now: without it you could not sign in any more. Add another way first.
recovery-codes-title = Recovery codes
recovery-codes-lead = With a recovery code you sign in when you do not have your phone. You get ten codes. Each code works once, together with your password.
recovery-codes-left = You have { $left } left of the codes that you made on { $when }.
recovery-codes-void = If you make new codes, the old ones stop working.
recovery-codes-make = Make codes
recovery-codes-made = Your new recovery codes are ready.
recovery-codes-keep = Keep these codes on paper, in a safe place. Not with your phone, and not in your mail.
recovery-codes-once = We show these codes only once.
recovery-codes-download = Save as a file
recovery-codes-print = Print
recovery-codes-file = recovery-codes
recovery-codes-done = I have kept the codes
recovery-codes-no-use = There is nothing yet that recovery codes belong to. Add a passkey, an app or a phone number first.
account-ways-title = How you sign in
account-ways-text = Besides your password. With a passkey or an app you need no SMS.
account-app = App for codes
account-app-on = Set up
account-app-off = Not set up
account-set-up = Set up
account-recovery-codes = Recovery codes
account-recovery-left = { $left } left
account-recovery-few = { $left } left. Make new codes.
account-recovery-none = Not made
account-view = View
account-notice-app = Your app is connected. From now on you sign in with a code from the app.
account-notice-app-removed = The app has been removed.
event-app-added = App for codes connected
event-app-removed = App for codes removed
event-recovery-codes-made = Recovery codes made
event-recovery-code-used = Signed in with a recovery code
passkey-title = Sign in with your passkey
passkey-lead = Your phone, computer or security key asks for your finger, face or PIN.
passkey-use = Use passkey
passkey-signin = Sign in with a passkey
passkey-make = Make a passkey
passkey-make-another = Make another passkey
passkey-failed = It did not work with this passkey. Try again, or sign in another way.
passkey-unknown = This passkey does not belong to an account here any more. Sign in another way.
passkey-old = This page was open for too long, or the button has been used already. Please try again.
passkey-copied = This passkey cannot be trusted: there seems to be a copy of it. Sign in another way, and remove this passkey.
passkey-cancelled = It did not work, or you stopped. Try again, or choose another way.
passkey-there = There is already a passkey for this account on this device.
passkey-no-script = For a passkey, JavaScript has to be on in your browser.
passkey-not-here = Passkeys are not possible here.
passkey-not-made = The passkey was not made. Try again, or use another device.
passkey-too-many = You have as many passkeys as you can have. Remove one first.
new-passkey-title = Make a passkey
new-passkey-lead = With a passkey you sign in with your finger, face or PIN. Your phone or computer keeps it. You need no SMS.
new-passkey-another = You have a passkey, but this portal asks for one that stays on one device, such as a security key.
passkeys-title = Passkeys
passkeys-lead = With a passkey you sign in with your finger, face or PIN, without a password and without SMS.
passkey-nameless = Passkey
passkey-made = Made on { $when }
passkey-synced = Works on all your devices with the same password manager.
passkey-bound = Stays on one device.
passkey-change = Change the name, or remove
passkey-name = Name
passkey-rename = Save name
passkey-remove = Remove passkey
passkey-name-empty = Enter a name for the passkey.
passkey-name-long = This name is too long. Use no more than { $most } characters.
account-notice-passkey = Your passkey has been made. You can sign in with it next time.
passkey-notice-named = The name has been saved.
passkey-notice-removed = The passkey has been removed. Remove it from your phone, computer or password manager too.
account-passkeys = Passkeys
account-passkeys-count = { $count ->
    [one] 1 passkey
   *[other] { $count } passkeys
}
account-passkeys-none = Not made
event-passkey-added = Passkey made
event-passkey-removed = Passkey removed
event-passkey-copied = There seems to be a copy of your passkey
