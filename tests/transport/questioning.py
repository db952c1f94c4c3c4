"""An SSH server that asks questions (keyboard-interactive) beside or instead of taking a key."""

import asyncssh
from loopback import Observed, SshServer


class QuestioningServer(SshServer):
    """Wants the key and the answers, one after the other.

    Args:
        host_key: Its host key, kept as `key`.
        user_key: The key that it accepts.
        rounds: For each round the prompts as (text, echo).
        answers: For each round what it wants to hear.
        heading: Title and instructions of the first round.
        key_last: Answers first, then the key.
        once: The answers are good for one login only.
    """

    def __init__(self, host_key, user_key, rounds, answers, *, heading=("", ""), key_last=False, once=False):
        super().__init__([host_key], [user_key])
        self.key = host_key
        self.script = (rounds, answers, heading, key_last)
        self.once = once
        self.used = False
        self.observed = Observed()

    async def _listen(self):
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: _Questioner(self),
            server_host_keys=self.host_keys,
            process_factory=self._run,
            encoding=None,
        )


class _Questioner(asyncssh.SSHServer):
    def __init__(self, server):
        self._server = server
        self._rounds, self._answers, self._heading, self._key_last = server.script
        self._round = 0
        self._has_key = self._has_answers = False

    def connection_made(self, connection):
        self._server.observed.connections += 1
        self._server.observed.open_connections.append(connection)
        let_in = connection.send_userauth_success

        async def wants_both():
            """AsyncSSH itself is content with one method."""
            if self._has_key and self._has_answers:
                await let_in()
            else:
                connection.send_userauth_failure(partial_success=True)

        connection.send_userauth_success = wants_both

    def begin_auth(self, _username):
        return True

    def public_key_auth_supported(self):
        return not self._has_key and (self._has_answers or not self._key_last)

    def validate_public_key(self, _username, key):
        self._has_key = key == self._server._settings[0][0].convert_to_public()
        return self._has_key

    def kbdint_auth_supported(self):
        return self._has_key or self._key_last

    def get_kbdint_challenge(self, _username, _lang, _submethods):
        self._round = 0
        return self._challenge()

    def _challenge(self):
        title, text = self._heading if self._round == 0 else ("", "")
        return title, text, "en", list(self._rounds[self._round])

    def validate_kbdint_response(self, _username, responses):
        if list(responses) != self._answers[self._round] or (self._server.once and self._server.used):
            return False
        self._round += 1
        if self._round < len(self._rounds):
            return self._challenge()
        self._server.used = self._has_answers = True
        return True

    def connection_requested(self, *_addresses):
        return True
