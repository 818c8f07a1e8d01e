"""The models endpoint, asked by the client that AWS's users have: boto3's bedrock-runtime."""

import json
import unittest

import boto3
import botocore.exceptions
from botocore.config import Config

import stack

TITAN = "amazon.titan-embed-text-v2:0"
PROMPT = """<passage number="1">
Salaries are paid on the 25th of each month. Bonuses follow in March.
</passage>
<question>
On which day are salaries paid?
</question>"""


class ModelsTest(stack.LocalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = boto3.client(
            "bedrock-runtime", region_name="us-east-1", aws_access_key_id="local", aws_secret_access_key="local",
            endpoint_url=f"http://127.0.0.1:{cls.supervisor().state()['models']['port']}",
            config=Config(retries={"max_attempts": 0}))

    def embed(self, text, **options):
        reply = self.client.invoke_model(modelId=TITAN, accept="application/json", contentType="application/json",
                                         body=json.dumps({"inputText": text, **options}))
        return json.loads(reply["body"].read())

    def refused(self, code, function, *arguments, **options):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            function(*arguments, **options)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response["Error"]["Message"]

    def test_titan_embeds(self):
        one = self.embed("How many days of vacation are there?", dimensions=512, normalize=True)
        two = self.embed("What leave does everybody have a year?", dimensions=512)["embedding"]
        far = self.embed("The pump is painted blue.", dimensions=512)["embedding"]
        vector = one["embedding"]
        self.assertEqual(len(vector), 512)
        self.assertGreater(one["inputTextTokenCount"], 5)
        self.assertEqual(one["embeddingsByType"]["float"], vector)
        self.assertAlmostEqual(sum(x * x for x in vector), 1, places=5)
        self.assertGreater(sum(a * b for a, b in zip(vector, two)), sum(a * b for a, b in zip(vector, far)) + 0.1)
        whole = self.embed("How many days of vacation are there?")["embedding"]  # Titan's default length
        self.assertEqual((len(whole), whole[512:]), (1024, [0] * 512))

    def test_what_titan_refuses(self):
        self.refused("ValidationException", self.embed, "text", dimensions=256)
        self.refused("ValidationException", self.embed, "")
        self.refused("ValidationException", self.client.invoke_model, modelId=TITAN, body=b"{")

    def converse(self, **options):
        return self.client.converse(modelId="ragstack.extracts", messages=[
            {"role": "user", "content": [{"text": PROMPT}]}], **options)

    def test_converse(self):
        reply = self.converse(system=[{"text": "Answer from the passages."}],
                              inferenceConfig={"maxTokens": 100, "temperature": 0})
        message = reply["output"]["message"]
        self.assertEqual((message["role"], reply["stopReason"]), ("assistant", "end_turn"))
        self.assertIn("25th", message["content"][0]["text"])
        self.assertEqual(reply["usage"]["totalTokens"], reply["usage"]["inputTokens"] + reply["usage"]["outputTokens"])
        self.assertIn("latencyMs", reply["metrics"])

    def test_what_converse_refuses(self):
        self.refused("ValidationException", self.client.converse, modelId="ragstack.extracts", messages=[])
        self.refused("UnknownOperationException", self.client.count_tokens, modelId="ragstack.extracts",
                     input={"converse": {"messages": [{"role": "user", "content": [{"text": "x"}]}]}})


if __name__ == "__main__":
    unittest.main()
