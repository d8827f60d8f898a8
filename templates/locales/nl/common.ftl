# What every page shows.

brand-name = Voordeur
other-language = English
other-language-tag = en
skip-to-content = Naar de inhoud
title-error = Fout
doorway-goodbye = Tot ziens.
doorway-text = Welkom. Fijn dat u er bent.
error-summary-title = Dit ging niet goed
step-of = Stap { $step } van { $steps }

helpdesk-title = Hulp nodig?
helpdesk-phone = Bel { $phone }
helpdesk-mail = Mail { $email }

password-show = Toon
password-hide = Verberg
password-shown = wachtwoord
