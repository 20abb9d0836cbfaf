#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <sys/mount.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "storage/records.hpp"
#include "storage/rocks_store.hpp"
#include "tests/interop/peers.hpp"
#include "tests/interop/process.hpp"

namespace jackfield::tests {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

/// A file system of a test's own, in memory.
class small_disk {
public:
  small_disk(fs::path where, const char* size) : where_(std::move(where)) {
    fs::create_directory(where_);
    mounted_ = ::mount("none", where_.c_str(), "tmpfs", 0, size) == 0;
  }
  ~small_disk() {
    if (mounted_)
      (void)::umount(where_.c_str());
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  /// False: this needs root.
  [[nodiscard]] bool mounted() const noexcept { return mounted_; }
  void make_read_only() const {
    ASSERT_EQ(::mount("none", where_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
  }

private:
  fs::path where_;
  bool mounted_ = false;
};

/// Calls were placed and completed. Whether the machine kept time with them (4: it did not) is
/// asked elsewhere.
MATCHER(went_well, "exit code 0, or 4 on a busy machine") {
  return arg == 0 || arg == 4;
}

/// What a user sees of each fault of the state directory: its exit code, and one line that names
/// the directory and what is wrong.
class state_faults : public testing::Test {
protected:
  struct seen {
    int status;
    std::string out;
    std::string err;
  };
  seen run(const arguments& words) {
    arguments command{JACKFIELD_PROGRAM};
    command.insert(command.end(), words.begin(), words.end());
    process program{words.front() + std::to_string(++commands_), folder_, command};
    const int status = program.wait();
    return {status, program.standard_output(), program.standard_error()};
  }
  seen load(const fs::path& state, const char* calls = "20", const arguments& more = {}) {
    arguments words{"load", "--calls", calls,  "--rate", "1000",    "--duration",
                    "50ms", "--media", "none", "-q",     "--state", state.string()};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  seen state(const char* action, const fs::path& directory) {
    return run({"state", action, directory.string()});
  }
  static void expect_fault(const seen& s, int status, const fs::path& directory,
                           std::string_view what) {
    EXPECT_EQ(s.status, status) << s.err;
    EXPECT_THAT(s.err, StartsWith(directory.string() + ": "));
    EXPECT_THAT(s.err, HasSubstr(std::string{what}));
    EXPECT_EQ(s.err.find('\n'), s.err.size() - 1) << "more than a line: " << s.err;
  }
  /// The last file with an extension.
  static fs::path last_file(const fs::path& directory, std::string_view extension) {
    fs::path last;
    for (const auto& entry : fs::directory_iterator{directory})
      if (entry.path().extension() == extension && entry.file_size() > 0 &&
          entry.path().filename() > last.filename())
        last = entry.path();
    return last;
  }

  scratch_folder folder_;
  fs::path directory_ = folder_.path() / "state";
  int commands_ = 0;
};

TEST_F(state_faults, a_disk_that_fills_up_ends_the_run_and_what_was_promised_is_there) {
  const auto disk = folder_.path() / "disk";
  const small_disk small{disk, "size=2m"};
  if (!small.mounted())
    GTEST_SKIP() << "mount needs root";
  const auto summary = folder_.file("summary.json");
  const auto full = load(disk / "state", "5000", {"--json", summary});
  EXPECT_EQ(full.status, 13) << full.err;
  EXPECT_THAT(full.err, HasSubstr("no space is left on its disk; no more calls are placed"));
  std::ifstream in{summary};
  const auto json = nlohmann::json::parse(in);
  const auto completed = json.at("calls").at("completed").get<uint64_t>();
  EXPECT_GT(completed, 100U);
  EXPECT_LT(completed, 5000U);
  EXPECT_EQ(state("verify", disk / "state").status, 0);
  const auto exported = run({"state", "export", (disk / "state").string(), "--cdrs"});
  std::set<std::string> ids;
  size_t lines = 0;
  std::istringstream text{exported.out};
  for (std::string line; std::getline(text, line); ++lines)
    ids.insert(nlohmann::json::parse(line).at("id").get<std::string>());
  EXPECT_EQ(ids.size(), lines);
  EXPECT_GT(lines, 100U);
  expect_fault(load(disk / "state"), 13, disk / "state", "no space is left on its disk");
}

TEST_F(state_faults, an_answerer_whose_disk_is_full_refuses_calls_and_takes_them_again) {
  const auto disk = folder_.path() / "disk";
  const small_disk small{disk, "size=6m"};
  if (!small.mounted())
    GTEST_SKIP() << "mount needs root";
  auto answering = start_answerer(folder_, "udp:127.0.0.1:0",
                                  {"--media", "none", "--state", (disk / "state").string()});
  const auto uri = sip_uri("x", answering.port);
  const arguments some{uri,          "--calls", "20",      "--rate", "200",
                       "--duration", "50ms",    "--media", "none"};
  const auto completed = [&] {
    return run_load(folder_, some).summary.at("calls").at("completed").get<int>();
  };
  EXPECT_EQ(completed(), 20);
  {
    std::ofstream filler{disk / "filler", std::ios::binary};
    const std::string block(64 << 10, 'f');
    while (filler << block << std::flush)
      ;
  }
  // What is left of a page may still hold some.
  for (int i = 0; i < 50 && completed() == 20; ++i)
    ;
  ASSERT_TRUE(answering.program->wait_for("no space is left on its disk; no more calls are taken"));
  EXPECT_LT(completed(), 20);
  fs::remove(disk / "filler");
  ASSERT_TRUE(answering.program->wait_for("is written again; calls are taken"));
  EXPECT_EQ(completed(), 20);
  answering.program->signal(SIGINT);
  EXPECT_LE(answering.program->wait(), 1) << "calls were refused";
  EXPECT_EQ(state("verify", disk / "state").status, 0);
}

TEST_F(state_faults, a_directory_that_may_not_be_written) {
  const auto disk = folder_.path() / "disk";
  const small_disk small{disk, "size=16m"};
  if (!small.mounted())
    GTEST_SKIP() << "mount needs root";
  EXPECT_THAT(load(disk / "state").status, went_well());
  small.make_read_only();
  expect_fault(load(disk / "state"), 12, disk / "state", "may not be written to");
  expect_fault(load(disk / "new"), 12, disk / "new", "Read-only file system");
  const auto listed = state("list", disk / "state");
  EXPECT_EQ(listed.status, 0) << "to look is not to write: " << listed.err;
}

TEST_F(state_faults, a_log_that_ends_within_a_record_is_told_of_and_gone_on_with) {
  EXPECT_THAT(load(directory_).status, went_well());
  const auto log = last_file(directory_, ".log");
  ASSERT_FALSE(log.empty());
  fs::resize_file(log, fs::file_size(log) - 3);
  const auto verified = state("verify", directory_);
  EXPECT_EQ(verified.status, 15);
  EXPECT_THAT(verified.err, HasSubstr("its log ends within a record, as a crash leaves it"));
  const auto next = load(directory_);
  EXPECT_THAT(next.status, went_well()) << next.err;
  EXPECT_THAT(next.err, HasSubstr("its log ends within a record"));
  EXPECT_EQ(state("verify", directory_).status, 0);
}

TEST_F(state_faults, a_flipped_byte_of_a_table) {
  EXPECT_THAT(load(directory_, "500").status, went_well());
  EXPECT_EQ(state("compact", directory_).status, 0);
  const auto table = last_file(directory_, ".sst");
  ASSERT_FALSE(table.empty());
  {
    std::fstream file{table, std::ios::binary | std::ios::in | std::ios::out};
    file.seekg(100);
    const auto byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(100);
    file.put(byte);
  }
  const auto verified = state("verify", directory_);
  EXPECT_EQ(verified.status, 14);
  EXPECT_THAT(verified.err, HasSubstr("is damaged"));
  const auto exported = run({"state", "export", directory_.string(), "--cdrs"});
  EXPECT_EQ(exported.status, 14) << "no record is dropped without a word";
  EXPECT_THAT(exported.err, HasSubstr("is damaged"));
  // Whoever does not need what is there goes on; nor does that hide the damage.
  (void)load(directory_);
  EXPECT_EQ(state("verify", directory_).status, 14);
}

TEST_F(state_faults, a_store_of_a_later_version) {
  EXPECT_THAT(load(directory_).status, went_well());
  {
    auto store = storage::rocks_store::open(directory_);
    ASSERT_TRUE(store) << store.error().why.to_string();
    storage::batch later;
    later.put(storage::keyspace::meta, "format", "2");
    ASSERT_TRUE((*store)->write(later, storage::durability::durable));
  }
  for (const auto& s : {load(directory_), state("list", directory_), state("verify", directory_)})
    expect_fault(s, 16, directory_, "was written by a later version (format 2), expected 1");
}

TEST_F(state_faults, two_engines) {
  auto answering = start_answerer(folder_, "udp:127.0.0.1:0", {"--state", directory_.string()});
  expect_fault(load(directory_), 11, directory_, "another engine uses it");
  EXPECT_EQ(state("verify", directory_).status, 0);
  (void)answering.finish();
}

} // namespace
} // namespace jackfield::tests
