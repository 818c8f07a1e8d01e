"""Each source of credentials from outside: the keys that it gives are judged by their signatures."""

import hashlib
import http.server
import json
import threading
import unittest

import cli
import harness

ROLE = "arn:aws:iam::123456789012:role/deploy"
KEYS = f"aws_access_key_id = {harness.ACCESS_KEY}\naws_secret_access_key = {harness.SECRET_KEY}\n"
NONE = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_REGION": harness.REGION}


class Endpoint:
    """A small HTTP server on loopback: {"METHOD /path": (needed header, its value, body)}."""

    def __init__(self, answers: dict[str, tuple[str | None, str, str]]) -> None:
        outer = self
        self.asked: list[str] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self) -> None:
                outer.asked.append(f"{self.command} {self.path}")
                header, value, body = answers.get(outer.asked[-1], (None, "", ""))
                good = body and (header is None or self.headers.get(header) == value)
                data = body.encode() if good else b"{}"
                self.send_response(200 if good else 404)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = answer

            def log_message(self, *_arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class CredentialsTest(cli.CloudCase):
    def home(self, name: str, text: str) -> str:
        return str(self.write(f".home/{name}", text))

    def endpoint(self, answers: dict[str, tuple[str | None, str, str]]) -> Endpoint:
        endpoint = Endpoint(answers)
        self.addCleanup(endpoint.stop)
        return endpoint

    def handed_out(self) -> dict[str, str]:
        """Keys of STS, which the gateway knows from now on."""
        return self.client("sts").assume_role_with_web_identity(
            RoleArn=ROLE, RoleSessionName="test", WebIdentityToken="a.b.c")["Credentials"]

    def document(self, **names: str) -> str:
        keys = self.handed_out()
        return json.dumps({"Version": 1, "AccessKeyId": keys["AccessKeyId"],
                           "SecretAccessKey": keys["SecretAccessKey"],
                           names.get("token", "Token"): keys["SessionToken"],
                           "Expiration": keys["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ")})

    def make_role(self) -> None:
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                         "Principal": {"AWS": "123456789012"}}]}
        self.client("iam").create_role(RoleName="deploy", AssumeRolePolicyDocument=json.dumps(trust))

    def good(self, source: str, **env: str | None) -> harness.Result:
        """The keys sign a call that the gateway accepts, and they come from there."""
        result = self.status(0, "ls", "-v", env={**NONE, **env})
        self.assertRegex(result.stderr, rf"(?m)^credentials from {source}$")
        self.no_secret_in(result)
        return result

    def bad(self, says: str, **env: str | None) -> None:
        result = self.plain(self.status(1, "ls", "-vv", env={**NONE, **env}))
        self.assertIn(says, result.stderr)
        self.assertEqual(result.stdout, "")
        self.no_secret_in(result)

    def no_secret_in(self, result: harness.Result) -> None:
        self.assertNotIn(harness.SECRET_KEY, str(result))
        self.assertNotIn("topsecret", str(result))

    def test_none_at_all(self):
        self.bad("there are no AWS credentials. Looked at: AWS_ACCESS_KEY_ID is not set")

    def test_the_environment(self):
        self.good("environment", AWS_ACCESS_KEY_ID=harness.ACCESS_KEY, AWS_SECRET_ACCESS_KEY=harness.SECRET_KEY)
        keys = self.handed_out()
        self.good("environment", AWS_ACCESS_KEY_ID=keys["AccessKeyId"], AWS_SECRET_ACCESS_KEY=keys["SecretAccessKey"],
                  AWS_SESSION_TOKEN=keys["SessionToken"])
        self.bad("AWS_SECRET_ACCESS_KEY is not", AWS_ACCESS_KEY_ID=harness.ACCESS_KEY)

    def test_profiles(self):
        self.home(".aws/credentials", f"[default]\n{KEYS}[prod]\n{KEYS}")
        self.good("profile default")
        self.good("profile prod", AWS_PROFILE="prod")
        self.bad('there is no profile "none"', AWS_PROFILE="none")

    def test_the_region_of_a_profile(self):
        self.home(".aws/credentials", f"[default]\n{KEYS}")
        self.home(".aws/config", "[default]\nregion = us-east-1\n")
        self.good("profile default", AWS_REGION=None)
        self.assertEqual(self.gateway.requests()["log"][-1]["region"], "us-east-1")

    def test_a_role_by_another_profile(self):
        self.make_role()
        self.home(".aws/config", f"[profile prod]\nrole_arn = {ROLE}\nsource_profile = base\n[profile base]\n{KEYS}")
        self.good("profile prod, assume-role", AWS_PROFILE="prod")
        self.assertIn("sts.AssumeRole", self.gateway.requests()["counts"])

    def test_a_role_that_is_not_ours_to_take(self):
        self.home(".aws/config", f"[profile prod]\nrole_arn = {ROLE}\nsource_profile = base\n[profile base]\n{KEYS}")
        self.bad("is not authorized to perform: sts:AssumeRole", AWS_PROFILE="prod")

    def test_a_role_by_a_wrong_key(self):
        self.make_role()
        self.home(".aws/config", f"[profile prod]\nrole_arn = {ROLE}\nsource_profile = base\n[profile base]\n"
                  + KEYS.replace(harness.SECRET_KEY, "topsecretwrong"))
        self.bad("cannot assume the role", AWS_PROFILE="prod")
        self.take_violations()

    def test_a_process(self):
        program = self.write("keys.sh", f"#!/bin/sh\necho topsecret >&2\ncat <<'E'\n{self.document(token='SessionToken')}\nE\n")
        program.chmod(0o700)
        self.home(".aws/config", f"[default]\ncredential_process = \"{program}\" 'a b'\n")
        self.good("profile default, credential_process")

    def test_web_identity(self):
        token = self.home("token", "topsecret.jwt.x\n")
        self.good("web identity, assume-role", AWS_WEB_IDENTITY_TOKEN_FILE=token, AWS_ROLE_ARN=ROLE)

    def test_github_actions(self):
        github = self.endpoint({"GET /token?v=2&audience=sts.amazonaws.com": (
            "Authorization", "bearer topsecretbearer", '{"value": "topsecret.jwt.x"}')})
        self.good("GitHub OIDC, assume-role", ACTIONS_ID_TOKEN_REQUEST_URL=f"{github.url}/token?v=2",
                  ACTIONS_ID_TOKEN_REQUEST_TOKEN="topsecretbearer", AWS_ROLE_ARN=ROLE)

    def test_a_container(self):
        pod = self.endpoint({"GET /v1/credentials": ("Authorization", "topsecrettoken", self.document())})
        token = self.home("token", "topsecrettoken")
        self.good("container endpoint", AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{pod.url}/v1/credentials",
                  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=token)

    def test_an_instance(self):
        roles = "/latest/meta-data/iam/security-credentials/"
        header = "X-aws-ec2-metadata-token"
        service = self.endpoint({
            "PUT /latest/api/token": ("X-aws-ec2-metadata-token-ttl-seconds", "21600", "topsecrettoken"),
            f"GET {roles}": (header, "topsecrettoken", "web"),
            f"GET {roles}web": (header, "topsecrettoken", self.document()),
        })
        self.good("instance metadata, role web", AWS_EC2_METADATA_DISABLED=None,
                  AWS_EC2_METADATA_SERVICE_ENDPOINT=service.url)
        self.assertEqual(len(service.asked), 3)

    def test_sso(self):
        keys = self.handed_out()
        portal = self.endpoint({"GET /federation/credentials?role_name=Dev&account_id=123456789012": (
            "x-amz-sso_bearer_token", "topsecrettoken", json.dumps({"roleCredentials": {
                "accessKeyId": keys["AccessKeyId"], "secretAccessKey": keys["SecretAccessKey"],
                "sessionToken": keys["SessionToken"], "expiration": int(keys["Expiration"].timestamp() * 1000)}}))})
        self.home(".aws/config", "[profile dev]\nsso_session = corp\nsso_account_id = 123456789012\n"
                  "sso_role_name = Dev\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://x.example\n")
        env = {"AWS_PROFILE": "dev", "AWS_ENDPOINT_URL_SSO": portal.url}
        self.bad("run `aws sso login --profile dev`", **env)
        name = hashlib.sha1(b"corp").hexdigest()
        self.home(f".aws/sso/cache/{name}.json", json.dumps(
            {"accessToken": "topsecrettoken", "expiresAt": "2099-01-01T00:00:00Z"}))
        self.good("profile dev, SSO", **env)
        self.home(f".aws/sso/cache/{name}.json", json.dumps(
            {"accessToken": "topsecrettoken", "expiresAt": "2020-01-01T00:00:00Z"}))
        self.bad("the SSO token has expired: run `aws sso login --profile dev`", **env)


if __name__ == "__main__":
    unittest.main()
