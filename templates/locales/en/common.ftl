# What every page shows.

brand-name = Voordeur
other-language = Nederlands
other-language-tag = nl
skip-to-content = Skip to content
title-error = Error
doorway-goodbye = See you soon.
doorway-text = Welcome. Good to see you.
error-summary-title = That did not work
step-of = Step { $step } of { $steps }

helpdesk-title = Need help?
helpdesk-phone = Call { $phone }
helpdesk-mail = Mail { $email }

password-show = Show
password-hide = Hide
password-shown = password
