// Sends the answer on without a click; without JavaScript the button does.
document.getElementById("form-post").submit();
