/** Plain-word questions against GitHub's API, each with the operations that answer it. Written before any was asked. */
export const questions: ReadonlyArray<{ readonly ask: string; readonly answers: ReadonlyArray<string> }> = [
  { ask: "give a star to a project I like", answers: ["activity/star-repo-for-authenticated-user"] },
  {
    ask: "who is allowed to push to this repository",
    answers: ["repos/list-collaborators", "repos/get-collaborator-permission-level"]
  },
  { ask: "start a workflow by hand", answers: ["actions/create-workflow-dispatch"] },
  {
    ask: "run a failed pipeline once more",
    answers: ["actions/re-run-workflow", "actions/re-run-workflow-failed-jobs"]
  },
  { ask: "merge a pull request", answers: ["pulls/merge"] },
  { ask: "make a copy of somebody else's repository in my account", answers: ["repos/create-fork"] },
  { ask: "stop someone from contributing to our organization", answers: ["orgs/block-user"] },
  { ask: "how many API requests do I have left", answers: ["rate-limit/get"] },
  {
    ask: "what are the newest published versions of the software",
    answers: ["repos/get-latest-release", "repos/list-releases"]
  },
  { ask: "upload my public ssh key", answers: ["users/create-public-ssh-key-for-authenticated-user"] },
  { ask: "write a note under a bug report", answers: ["issues/create-comment"] },
  { ask: "mark all my notifications as read", answers: ["activity/mark-notifications-as-read"] },
  { ask: "find source code that contains a word", answers: ["search/code"] },
  {
    ask: "which alerts about leaked passwords exist in my repository",
    answers: ["secret-scanning/list-alerts-for-repo"]
  },
  { ask: "protect the main branch", answers: ["repos/update-branch-protection"] },
  { ask: "add a person to a team", answers: ["teams/add-or-update-membership-for-user-in-org"] },
  { ask: "translate markdown into html", answers: ["markdown/render", "markdown/render-raw"] },
  { ask: "remove an old build output to save space", answers: ["actions/delete-artifact"] },
  { ask: "show the difference between two commits", answers: ["repos/compare-commits-with-basehead"] },
  { ask: "ask a colleague to look over my change", answers: ["pulls/request-reviewers"] }
]
