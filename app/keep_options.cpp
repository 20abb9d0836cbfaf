#include "app/keep_options.hpp"

#include <CLI/CLI.hpp>

namespace jackfield::app {

void declare_keep(CLI::App& app, keep_texts& t, keep_options& o, const std::string& group,
                  bool resumes) {
  app
    .add_option("--state", o.directory,
                resumes ? "keep calls in this directory: each before its INVITE leaves or is "
                          "answered, and its record; see jackfield state"
                        : "keep calls in this directory, each before its INVITE leaves, and its "
                          "record; and registrations, before their REGISTER does; see jackfield "
                          "state")
    ->group(group);
  app
    .add_flag("--state-durable", t.durable,
              "what is kept survives the loss of power too; without it the end of the process")
    ->group(group);
  app
    .add_option("--recover", t.recover,
                resumes ? "calls that a crash left in the state directory: hang-up (also CANCEL), "
                          "resume, which has those go on that were up, but for WebRTC, or forget, "
                          "which closes their records only (hang-up)"
                        : "calls that a crash left in the state directory: hang-up (also CANCEL; "
                          "registrations are removed), or forget, which closes their records only "
                          "(hang-up)")
    ->group(group);
}

void read_keep(option_reader& r, const keep_texts& t, keep_options& o, bool resumes) {
  r.check(!t.durable || !o.directory.empty(), "--state-durable",
          "nothing is kept, expected --state DIR too");
  r.check(t.recover.empty() || !o.directory.empty(), "--recover",
          "nothing is kept, expected --state DIR too");
  using recovery = keep_options::recovery;
  if (t.recover == "forget")
    o.recover = recovery::forget;
  else if (t.recover == "resume" && resumes)
    o.recover = recovery::resume;
  else
    r.check(t.recover.empty() || t.recover == "hang-up", "--recover",
            "\"" + t.recover + "\" is no way to recover, expected hang-up" +
              (resumes ? ", resume" : "") + " or forget");
  if (t.durable)
    o.calls = storage::durability::durable;
}

} // namespace jackfield::app
