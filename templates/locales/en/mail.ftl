# Mails and text messages. No names or codes in subjects; nothing about care anywhere.

mail-hello-name = Dear { $name },
mail-hello = Dear Sir or Madam,
mail-regards = Kind regards,
mail-help = Need help?
mail-help-phone = Call { $phone }
mail-help-mail = Mail { $email }
mail-never-asks = We never ask for your password or a code. Not in a mail and not on the phone.
mail-code-text = Are you reading this mail on another device? Type this code on the page where you were:
mail-valid-minutes = The link and the code work for { $minutes } minutes, and only once.
mail-valid-hours = The link and the code work for { $hours } hours, and only once.
mail-not-you = Was this not you? You do not have to do anything. Your account is safe.
mail-signin-button = Sign in
mail-reset-button = Choose a new password
mail-account-button = Go to my account

mail-confirm-subject = Confirm your email address
mail-confirm-text = You created an account with this email address. Please confirm that this address is yours.
mail-confirm-ignore = Did you not create an account? Then you do not have to do anything.

mail-already-registered-subject = You already have an account
mail-already-registered-text = Somebody just tried to create an account with your email address. But you already have an account. You can simply sign in.
mail-already-registered-forgot = Forgotten your password?

mail-reset-subject = Choose a new password
mail-reset-text = You asked for a new password. You choose it on our website.
mail-reset-ignore = Did you not ask for this? Then you do not have to do anything. Your old password still works.

mail-reset-unknown-subject = Your request for a new password
mail-reset-unknown-text = A new password was requested for this email address. But no account belongs to this address.
mail-reset-unknown-other = Do you have an account? Perhaps you use another email address for it. Try again with that address.
mail-reset-unknown-ignore = Did you not ask for this? Then you do not have to do anything.

mail-password-changed-subject = Your password has been changed
mail-password-changed-text = The password of your account was changed on { $when }. Did you do this yourself? Then you do not have to do anything.
mail-password-changed-not-you = Was this not you? Choose a new password at once and contact the helpdesk.

mail-locked-subject = Sign-in is locked for a while
mail-locked-text = On { $when } a wrong password was entered too often for your account. That is why nobody can sign in until { $until }. After that it opens by itself.
mail-locked-you = Was this you? Wait a while, or choose a new password.
mail-locked-not-you = Was this not you? Your account is safe: nobody got in. Devices that we know as yours keep working.

mail-new-device-subject = Sign-in on a new device
mail-new-device-text = Somebody signed in to your account with a new device: { $device }, on { $when }. Was this you? Then you do not have to do anything.
mail-new-device-not-you = Was this not you? Change your password at once and choose 'Sign out everywhere' in your account.

mail-phone-added-subject = Your phone number has been added
mail-phone-added-text = On { $when } a phone number was added to your account. SMS codes now go to that number. Is this right? Then you do not have to do anything.

mail-account-deleted-subject = Your account has been deleted
mail-account-deleted-text = On { $when } your account was deleted, with the details that we had of you. You can no longer sign in with it.
mail-account-deleted-not-you = Did you not ask for this yourself? Contact the helpdesk at once.

mail-phone-changed-subject = Your phone number has been changed
mail-phone-changed-text = The phone number of your account was changed on { $when }. SMS codes now go to the new number. Is this right? Then you do not have to do anything.
mail-phone-changed-not-you = Is this not right? Contact the helpdesk at once.
mail-phone-changed-call = Is this not right? Call { $phone } at once.

mail-account-created-subject = An account has been made for you
mail-account-created-text = An account has been made for you. Below is how to sign in the first time.
mail-account-created-email = Your email address:
mail-account-created-username = Your user name:
mail-account-created-password = Your temporary password:
mail-account-created-rule = The temporary password works once, until { $until }. After that you choose a password yourself.

mail-invited-subject = An account has been made for you
mail-invited-text = An account has been made for you with this email address. Choose a password first. Then you can sign in.
mail-invited-how = Enter your email address on the website. You will get a mail with which you choose a password.
mail-invited-how-username = Enter your user name and your email address on the website. You will get a mail with which you choose a password.

mail-email-change-subject = Confirm your new email address
mail-email-change-text = You want to use this email address for your account. Please confirm that this address is yours.
mail-email-change-ignore = Did you not ask for this? Then you do not have to do anything.

mail-email-changed-subject = Your email address has been changed
mail-email-changed-text = The email address of your account was changed on { $when }. From now on you sign in with the new address. Is this right? Then you do not have to do anything.

mail-desk-notice-subject = Something changed in your account
mail-desk-notice-text = On { $when } a member of staff changed something in your account:
mail-desk-notice-not-right = Is this not right? Contact the helpdesk.

sms-phone-removed = Your account no longer uses this phone number. Is this not right? Call the helpdesk.
sms-phone-changed = Your account uses another phone number from now on.
sms-phone-changed-at = Your account at { $brand } uses another phone number from now on.
sms-phone-changed-call = Is this not right? Call { $phone }.
sms-phone-changed-ask = Is this not right? Call the helpdesk.
# One message has 160 characters, the name and the address of the site included.
sms-code = Your code is { $code }.
sms-code-sign-in = Your code to sign in at { $brand } is { $code }.
sms-code-number = Your code to confirm this number at { $brand } is { $code }.
sms-code-after-dash = Enter what follows the dash.
sms-code-nobody = Do not share this code with anyone.

mail-security-notice-subject = How you sign in has changed
mail-security-notice-text = On { $when } this happened to your account:
mail-on-device = It happened on: { $device }.
mail-security-notice-not-you = Was this not you? Then choose a new password at once, and contact the helpdesk.
mail-recovery-code-used-subject = Somebody signed in with a recovery code
mail-recovery-code-used-text = On { $when } one of your recovery codes was used to sign in. It happened on: { $device }.
mail-recovery-code-used-left = You have { $left } recovery codes left.
mail-recovery-code-used-few = That is not many. Make new codes on the page 'My account'.
