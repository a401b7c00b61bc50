// Passkeys: allauth's script only writes to the console when a ceremony fails; people read the page. Its words come
// from the page, in the page's language.
(function () {
  const words = document.currentScript.dataset
  const buttons = '#passkey_login, #mfa_webauthn_add, #mfa_webauthn_authenticate, #mfa_webauthn_reauthenticate'

  function say (text) {
    const notice = document.getElementById('notice')
    notice.hidden = false
    notice.textContent = text
    notice.scrollIntoView({ block: 'center' })
  }

  document.addEventListener('allauth.error', function (event) {
    event.preventDefault()
    say(words.cancelled)
  })

  if (!window.PublicKeyCredential) {
    document.querySelectorAll(buttons).forEach(function (button) {
      button.disabled = true
      button.insertAdjacentText('beforeend', ' – ' + words.unsupported)
    })
  }
})()
