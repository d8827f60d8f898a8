# What every page shows.

brand-name = Voordeur
other-language = English
other-language-tag = en
skip-to-content = Naar de inhoud
title-error = Fout
form-kept = U was te lang weg; uw tekst staat er nog. Kijk het na en verstuur het nog een keer.
doorway-goodbye = Tot ziens.
doorway-text = Welkom. Fijn dat u er bent.
error-summary-title = Dit ging niet goed
date-in-words = { $day } { $month ->
    [1] januari
    [2] februari
    [3] maart
    [4] april
    [5] mei
    [6] juni
    [7] juli
    [8] augustus
    [9] september
    [10] oktober
    [11] november
   *[12] december
} { $year }
time-in-words = { $date } om { $time }
step-of = Stap { $step } van { $steps }

helpdesk-title = Hulp nodig?
helpdesk-phone = Bel { $phone }
helpdesk-mail = Mail { $email }

password-show = Toon
password-hide = Verberg
password-shown = wachtwoord

# The end of a session
session-note = Doet u { $minutes } minuten niets op deze pagina? Dan wordt u uitgelogd. Zo kan niemand anders bij uw gegevens.
session-note-last = Over { $minutes ->
    [one] een minuut
   *[other] { $minutes } minuten
} wordt u uitgelogd, ook als u nog bezig bent. Sla op tijd op wat u wilt bewaren. Daarna kunt u opnieuw inloggen.
session-warning-title = Bent u er nog?
session-warning-text = U heeft een tijd niets gedaan. Straks wordt u vanzelf uitgelogd. Wat u nog niet heeft opgeslagen, gaat dan verloren.
session-left-minutes = Nog % minuten
session-left-seconds = Nog minder dan % seconden
session-extend = Ik ben er nog
session-extended = U blijft ingelogd.
session-last-title = U wordt zo uitgelogd
session-last-text = U bent al lang ingelogd. Voor uw veiligheid vragen we dan opnieuw wie u bent. Sla nu op wat u wilt bewaren. Daarna logt u gewoon weer in.
session-last-button = Ik begrijp het
