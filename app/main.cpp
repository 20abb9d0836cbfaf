#include <cstdio>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "app/answer_command.hpp"
#include "app/load_command.hpp"
#include "app/serve_command.hpp"
#include "app/simulate_command.hpp"
#include "app/state_command.hpp"
#include "app/version.hpp"
#include "engine/error/error.hpp"
#include "engine/report/exit_code.hpp"

namespace {

constexpr std::string_view overview =
  "jackfield: SIP calls at scale\n"
  "\n"
  "  jackfield load [URI] [OPTION...]    place calls, and say how they went\n"
  "  jackfield answer [OPTION...]        answer calls\n"
  "  jackfield serve -c FILE [OPTION...] serve a contact centre: queues, agents, callers\n"
  "  jackfield simulate [OPTION...]      play callers and agents in simulated time\n"
  "  jackfield state ACTION [OPTION...]  show, check and copy what calls left with --state\n"
  "  jackfield version\n"
  "\n"
  "Each command explains its options with --help.\n";

int run(int count, char** values) {
  const std::vector<std::string> words(values + 1, values + count);
  const std::string command = words.empty() ? "" : words.front();
  const std::vector<std::string> rest(words.begin() + (words.empty() ? 0 : 1), words.end());
  if (command == "load")
    return jackfield::app::load_command(rest);
  if (command == "answer")
    return jackfield::app::answer_command(rest);
  if (command == "serve")
    return jackfield::app::serve_command(rest);
  if (command == "simulate")
    return jackfield::app::simulate_command(rest);
  if (command == "state")
    return jackfield::app::state_command(rest);
  if (command == "version" || command == "--version") {
    std::printf("jackfield %s\n", std::string{jackfield::app::version}.c_str());
    return 0;
  }
  const bool asked = command == "help" || command == "--help" || command == "-h";
  if (!asked && !command.empty())
    std::fprintf(
      stderr, "%s\n",
      jackfield::error{
        "jackfield", "\"" + command +
                       "\" is no command, expected load, answer, serve, simulate, state or version"}
        .to_string()
        .c_str());
  else
    std::fputs(overview.data(), asked ? stdout : stderr);
  return asked ? 0 : 2;
}

} // namespace

int main(int count, char** values) {
  try {
    return run(count, values);
  } catch (const std::system_error& e) { // no thread, say
    std::fprintf(stderr, "jackfield: the system refuses: %s\n", e.what());
  } catch (const std::bad_alloc&) {
    std::fputs("jackfield: the system gives no more memory\n", stderr);
  }
  return static_cast<int>(jackfield::report::exit_code::internal_error);
}
