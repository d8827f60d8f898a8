<?php
// apt install libapache2-mod-php
// Apache lets nobody through who is not signed in. Know people by `sub`: all else about them changes.
['OIDC_CLAIM_sub' => $sub, 'OIDC_CLAIM_name' => $name, 'OIDC_CLAIM_email' => $email] = $_SERVER;
$logout = getenv('REDIRECT_URI') . '?' . http_build_query(['logout' => getenv('HOME_PAGE')]);
?>
<!doctype html>
<meta charset="utf-8">
<title>Website</title>
<h1 id="website">Hello <?= htmlspecialchars($name) ?></h1>
<p>We write to <?= htmlspecialchars($email) ?> and keep your file under <?= htmlspecialchars($sub) ?>.</p>
<p><a id="logout" href="<?= htmlspecialchars($logout) ?>">Sign out</a></p>
