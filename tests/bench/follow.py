"""Measures what `cki stage watch` costs while it follows a pipeline of 60 jobs on a server with 50 ms of latency.

    python3 tests/bench/follow.py target/dist/cki [SECONDS]

The server is in this process, answers what GitLab answers, and knows ETags. It prints requests per poll, processor time,
peak memory, and how late the end was noticed.
"""

import collections
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

JOBS = 60
LATENCY = 0.05
SHA = "9c41d0e0000000000000000000000000000000aa"


class Course:
    """A pipeline whose jobs end one after the other."""

    def __init__(self, seconds):
        self.began = time.monotonic()
        self.seconds = seconds
        self.requests = collections.Counter()
        self.unchanged = 0

    def ended(self):
        """Number of jobs that have ended."""
        return min(JOBS, int((time.monotonic() - self.began) / self.seconds * JOBS))

    def status(self):
        return "success" if self.ended() == JOBS else "running"

    def pipeline(self, base):
        url = f"{base}/group/tools/-/pipelines/7"
        return {"id": 7, "project_id": 1, "sha": SHA, "ref": "refs/merge-requests/1/head", "status": self.status(),
                "source": "merge_request_event", "web_url": url, "started_at": "2026-11-29T10:00:00Z"}

    def jobs(self, base):
        ended = self.ended()
        return [{"id": 100 + number, "name": f"job {number}", "stage": f"stage {number // 10}",
                 "status": "success" if number < ended else "running" if number < ended + 4 else "created",
                 "allow_failure": False, "web_url": f"{base}/group/tools/-/jobs/{100 + number}",
                 "started_at": "2026-11-29T10:00:00Z", "pipeline": {"id": 7, "status": self.status()}}
                for number in range(JOBS)]

    def answer(self, path, base):
        merge_request = {"iid": 1, "title": "Sixty jobs", "state": "opened", "sha": SHA, "author": None,
                         "web_url": f"{base}/group/tools/-/merge_requests/1", "source_branch": "a",
                         "target_branch": "main", "source_project_id": 1, "target_project_id": 1}
        project = "/api/v4/projects/group%2Ftools"
        answers = {
            f"{project}/merge_requests/1": lambda: merge_request,
            f"{project}/merge_requests/1/pipelines": lambda: [self.pipeline(base)],
            f"{project}/pipelines/7": lambda: self.pipeline(base),
            f"{project}/pipelines/7/jobs": lambda: self.jobs(base),
            f"{project}/pipelines/7/bridges": lambda: [],
        }
        return answers[path]() if path in answers else None


def handler(course):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            time.sleep(LATENCY)
            path = self.path.split("?")[0]
            course.requests[path.rsplit("/", 1)[-1]] += 1
            found = course.answer(path, f"http://{self.headers['Host']}")
            body = json.dumps(found if found is not None else {"message": "404 Not Found"}).encode()
            tag = f'W/"{hash(body)}"'
            is_known = self.headers.get("If-None-Match") == tag
            course.unchanged += is_known
            self.send_response(304 if is_known else 200 if found is not None else 404)
            self.send_header("ETag", tag)
            if not is_known:
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if not is_known:
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


def main(program, seconds):
    course = Course(seconds)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(course))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as home:
        env = {"HOME": home, "PATH": os.environ["PATH"], "CKI_GITLAB_URL": f"http://127.0.0.1:{server.server_port}"}
        command = [program, "stage", "watch", "group/tools!1", "-o", "json"]
        child = subprocess.Popen(command, cwd=home, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        course.began = began = time.monotonic()
        output = child.stdout.read()
        _, status, used = os.wait4(child.pid, 0)
        took = time.monotonic() - began
    assert os.waitstatus_to_exitcode(status) == 0 and json.loads(output)["succeeded"], output
    processor = used.ru_utime + used.ru_stime
    polls = course.requests["1"] - 1  # The first one finds the merge request.
    about = {name: count for name, count in course.requests.items() if name != "1"}
    print(f"{took:.1f} s, noticed {took - seconds:.2f} s after the end")
    print(f"{polls} polls: {course.requests['1']} requests for the merge request, {sum(about.values())} for the "
          f"pipeline ({about}), {course.unchanged} of all answers were 304")
    print(f"processor {processor * 1000:.0f} ms ({processor / took:.2%}), peak memory {used.ru_maxrss / 1024:.1f} MB")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 60)
