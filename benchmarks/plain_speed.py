"""Plain decoding through the engine against llama-bench: same file, threads and tokens, in turn.

python benchmarks/plain_speed.py MODEL.gguf --llama-bench PATH [--tokens 96] [--rounds 7]
"""

import argparse
import json
import statistics
import subprocess

import localspec
from localspec.llama.library import threads


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--llama-bench", required=True)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    ours, theirs = [], []
    with localspec.load(options.model, draft="none") as llm:
        engine_speed(llm, options.tokens)
        for _ in range(options.rounds):
            ours.append(engine_speed(llm, options.tokens))
            theirs.append(llama_bench(options))
    pairs = zip(ours, theirs, strict=True)
    print(f"engine {statistics.median(ours):.2f}/s  llama-bench {statistics.median(theirs):.2f}/s")
    print(f"ratio, median of pairs: {statistics.median(a / b for a, b in pairs):.3f}")


def engine_speed(llm: localspec.LLM, tokens: int) -> float:
    """Tokens a second after the first, from a prompt of one token, end tokens banned."""
    banned = dict.fromkeys(llm.target.vocabulary.end_tokens, -100.0)
    answer = llm.generate([5], max_tokens=tokens, temperature=0, speculation=0, logit_bias=banned)
    return answer.statistics.tokens_per_second


def llama_bench(options: argparse.Namespace) -> float:
    command = [options.llama_bench, "-m", options.model, "-p", "0", "-n", str(options.tokens)]
    command += ["-t", str(threads()), "-r", "1", "-o", "json", "-fa", "1"]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    if run.returncode:  # as of AMX in a build by gcc 12, which localspec leaves out
        command += ["--repack", "0"]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
    speed: float = json.loads(run.stdout)[0]["avg_ts"]
    return speed


if __name__ == "__main__":
    main()
