# What every page shows.

brand-name = Voordeur
other-language = Nederlands
other-language-tag = nl
skip-to-content = Skip to content
title-error = Error
form-kept = You were away too long; your text is still here. Check it and send it again.
doorway-goodbye = See you soon.
doorway-text = Welcome. Good to see you.
error-summary-title = That did not work
date-in-words = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year }
time-in-words = { $date } at { $time }
step-of = Step { $step } of { $steps }

helpdesk-title = Need help?
helpdesk-phone = Call { $phone }
helpdesk-mail = Email { $email }

password-show = Show
password-hide = Hide
password-shown = password

# The end of a session
session-note = If you do nothing on this page for { $minutes } minutes, you are signed out. That way nobody else can see your data.
session-note-last = In { $minutes ->
    [one] a minute
   *[other] { $minutes } minutes
} you will be signed out, even if you are still busy. Save what you want to keep in time. After that you can sign in again.
session-warning-title = Are you still there?
session-warning-text = You have not done anything for a while. You will soon be signed out. What you have not saved will be lost.
session-left-minutes = % minutes left
session-left-seconds = Less than % seconds left
session-extend = I am still here
session-extended = You stay signed in.
session-last-title = You will be signed out soon
session-last-text = You have been signed in for a long time. To keep you safe, we then ask again who you are. Save now what you want to keep. After that you simply sign in again.
session-last-button = I understand
