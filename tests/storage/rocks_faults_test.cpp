#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rocksdb/db.h>

#include "storage/memory_store.hpp"
#include "storage/rocks_store.hpp"
#include "tests/storage/scratch.hpp"

namespace jackfield::storage {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string numbered(int i) {
  char text[16];
  std::snprintf(text, sizeof text, "k%06d", i);
  return text;
}

/// That an outcome is this fault, in one line that begins with the directory.
template <class Outcome>
void expect_fault(const Outcome& got, fault_kind kind, const fs::path& place,
                  const std::string& text) {
  ASSERT_FALSE(got) << "expected a fault with '" << text << "'";
  EXPECT_EQ(got.error().kind, kind) << got.error().why.to_string();
  EXPECT_EQ(got.error().why.place, place.string());
  EXPECT_THAT(got.error().why.cause, HasSubstr(text));
  EXPECT_THAT(got.error().why.to_string(), testing::Not(HasSubstr("\n")));
}

/// What the name, size and bytes of every file are.
std::string picture(const fs::path& directory) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::directory_iterator(directory))
    all[entry.path().filename().string()] = content(entry.path());
  std::string text;
  for (const auto& [name, bytes] : all)
    text += name + ":" + std::to_string(std::hash<std::string>{}(bytes)) + "\n";
  return text;
}

class rocks_faults : public testing::Test {
protected:
  /// A store with keys k000000... in its log, each of a block's size, and closed.
  void make(int count, size_t bytes = 100) {
    auto opened = rocks_store::open(state_);
    ASSERT_TRUE(opened) << opened.error().why.to_string();
    for (int i = 0; i < count; ++i)
      ASSERT_TRUE(put(**opened, numbered(i), std::string(bytes, static_cast<char>('a' + i % 26))));
  }
  fs::path log() const {
    const auto logs = files(state_, ".log");
    EXPECT_FALSE(logs.empty());
    return logs.back();
  }
  /// All that is in the store's keyspace of calls is the first `count` keys.
  static void expect_first(const store& s, size_t count) {
    const auto all = all_of(s, keyspace::calls);
    EXPECT_EQ(all.size(), count);
    if (count > 0) {
      EXPECT_TRUE(all.contains(numbered(static_cast<int>(count) - 1)));
    }
  }

  scratch directory_;
  fs::path state_ = directory_ / "a/state";
};

TEST_F(rocks_faults, keeps_across_reopening_in_a_directory_for_nobody_else) {
  make(3);
  struct stat status {};
  ASSERT_EQ(::stat(state_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  auto again = rocks_store::open(state_);
  ASSERT_TRUE(again) << again.error().why.to_string();
  EXPECT_EQ((*again)->note(), "");
  expect_first(**again, 3);
  EXPECT_EQ((*again)->read(keyspace::meta, "format").value(), "1");
  EXPECT_TRUE((*again)->verify_checksums());
}

TEST_F(rocks_faults, missing) {
  expect_fault(rocks_store::look(state_), fault_kind::missing, state_, "holds no state");
  EXPECT_FALSE(fs::exists(state_)) << "looking made it";
}

TEST_F(rocks_faults, a_directory_of_somebody_else) {
  fs::create_directories(state_);
  replace(state_ / "letter.txt", "Dear");
  expect_fault(rocks_store::open(state_), fault_kind::missing, state_, "other files");
  EXPECT_EQ(content(state_ / "letter.txt"), "Dear");
  EXPECT_EQ(files(state_, "").size(), 0U);
}

TEST_F(rocks_faults, no_directory) {
  fs::create_directories(state_.parent_path());
  replace(state_, "a file");
  expect_fault(rocks_store::open(state_), fault_kind::forbidden, state_, "is no directory");
  expect_fault(rocks_store::open(state_ / "below"), fault_kind::forbidden, state_ / "below",
               "cannot be made");
}

TEST_F(rocks_faults, in_use_by_this_process) {
  auto first = rocks_store::open(state_);
  ASSERT_TRUE(first);
  expect_fault(rocks_store::open(state_), fault_kind::in_use, state_, "another engine");
  ASSERT_TRUE(put(**first, "a", "1")) << "the first was disturbed";
  first->reset();
  EXPECT_TRUE(rocks_store::open(state_)) << "the lock was kept";
}

TEST_F(rocks_faults, looking_changes_nothing_and_does_not_write) {
  make(50);
  const auto before = picture(state_);
  {
    auto seen = rocks_store::look(state_);
    ASSERT_TRUE(seen) << seen.error().why.to_string();
    expect_first(**seen, 50);
    EXPECT_TRUE((*seen)->verify_checksums());
    EXPECT_FALSE(put(**seen, "a", "1"));
    EXPECT_FALSE((*seen)->compact());
  }
  EXPECT_EQ(picture(state_), before);
}

TEST_F(rocks_faults, torn_log) {
  make(10);
  const auto whole = content(log());
  replace(log(), whole.substr(0, whole.size() - 20));
  {
    auto seen = rocks_store::look(state_);
    ASSERT_TRUE(seen) << seen.error().why.to_string();
    EXPECT_THAT((*seen)->note(), HasSubstr("ends within"));
    expect_first(**seen, 9);
  }
  auto mended = rocks_store::open(state_);
  ASSERT_TRUE(mended) << mended.error().why.to_string();
  EXPECT_THAT((*mended)->note(), HasSubstr("ends within"));
  expect_first(**mended, 9);
  ASSERT_TRUE(put(**mended, numbered(9), "again"));
  mended->reset();
  auto again = rocks_store::open(state_);
  ASSERT_TRUE(again) << again.error().why.to_string();
  EXPECT_EQ((*again)->note(), "");
  expect_first(**again, 10);
}

TEST_F(rocks_faults, damaged_log) {
  make(400, 500); // several blocks
  const auto file = log();
  const auto whole = content(file);
  for (const size_t offset : {whole.size() / 4, whole.size() / 2, whole.size() - 700}) {
    replace(file, whole);
    flip(file, offset);
    const auto before = picture(state_);
    expect_fault(rocks_store::open(state_), fault_kind::corrupt, state_, "its log is damaged");
    EXPECT_EQ(picture(state_), before) << "something was written";
    auto seen = rocks_store::look(state_);
    ASSERT_TRUE(seen) << seen.error().why.to_string();
    EXPECT_THAT((*seen)->note(), HasSubstr("its log is damaged"));
    const auto all = all_of(**seen, keyspace::calls);
    EXPECT_GT(all.size(), 400 * offset / whole.size() - 5) << "what stands before is not there";
    EXPECT_LT(all.size(), 400U);
    expect_fault((*seen)->verify_checksums(), fault_kind::corrupt, state_, "its log is damaged");
  }
}

TEST_F(rocks_faults, damaged_length_in_the_log_that_looks_like_its_end) {
  make(10, 100);
  // The upper byte of the length of a record in the middle: it reaches past the end of the file.
  const auto file = log();
  const auto bytes = content(file);
  const auto key = bytes.find(numbered(4));
  ASSERT_NE(key, std::string::npos);
  size_t header = key - 7;
  while (bytes.substr(header + 4, 1)[0] == 0 || bytes[header + 6] != 1)
    --header;
  auto broken = bytes;
  broken[header + 5] = 0x70;
  replace(file, broken);
  expect_fault(rocks_store::open(state_), fault_kind::corrupt, state_, "its log is damaged");
}

TEST_F(rocks_faults, zeros_at_the_end_of_the_log) {
  make(10);
  const auto file = log();
  const auto whole = content(file);
  replace(file, whole + std::string(100, '\0'));
  auto opened = rocks_store::open(state_);
  ASSERT_TRUE(opened) << opened.error().why.to_string();
  EXPECT_THAT((*opened)->note(), HasSubstr("ends within"));
  expect_first(**opened, 10);
}

TEST_F(rocks_faults, damaged_table) {
  make(200, 500);
  {
    auto store = rocks_store::open(state_);
    ASSERT_TRUE(store);
    ASSERT_TRUE((*store)->compact());
  }
  for (const auto& file : files(state_, ".sst"))
    if (fs::file_size(file) > 2000)
      flip(file, 100);
  auto store = rocks_store::open(state_);
  ASSERT_TRUE(store) << store.error().why.to_string();
  expect_fault((*store)->read(keyspace::calls, numbered(0)), fault_kind::corrupt, state_,
               "damaged");
  expect_fault((*store)->scan(keyspace::calls, "", "", [](auto, auto) { return true; }),
               fault_kind::corrupt, state_, "damaged");
  expect_fault((*store)->verify_checksums(), fault_kind::corrupt, state_, "damaged");
  store->reset();
  auto seen = rocks_store::look(state_);
  ASSERT_TRUE(seen) << seen.error().why.to_string();
  expect_fault((*seen)->verify_checksums(), fault_kind::corrupt, state_, "damaged");
}

TEST_F(rocks_faults, lost_current) {
  make(3);
  fs::remove(state_ / "CURRENT");
  expect_fault(rocks_store::open(state_), fault_kind::corrupt, state_, "CURRENT");
  expect_fault(rocks_store::look(state_), fault_kind::corrupt, state_, "CURRENT");
}

TEST_F(rocks_faults, cut_off_while_it_was_made) {
  fs::create_directories(state_);
  replace(state_ / "LOCK", "");
  replace(state_ / "IDENTITY", "half");
  auto opened = rocks_store::open(state_);
  ASSERT_TRUE(opened) << opened.error().why.to_string();
  batch erase;
  erase.erase(keyspace::meta, "format");
  ASSERT_TRUE((*opened)->write(erase, durability::durable));
  opened->reset();
  auto again = rocks_store::open(state_);
  ASSERT_TRUE(again) << again.error().why.to_string();
  EXPECT_EQ((*again)->read(keyspace::meta, "format").value(), "1");
  // With something in it, it is a copy that was not finished.
  ASSERT_TRUE(put(**again, "a", "1"));
  ASSERT_TRUE((*again)->write(erase, durability::durable));
  again->reset();
  expect_fault(rocks_store::open(state_), fault_kind::corrupt, state_, "which format");
  expect_fault(rocks_store::look(state_), fault_kind::corrupt, state_, "which format");
}

TEST_F(rocks_faults, newer_format) {
  {
    auto store = rocks_store::open(state_);
    ASSERT_TRUE(store);
    ASSERT_TRUE(put(**store, "format", "2", durability::durable, keyspace::meta));
  }
  const auto before = picture(state_);
  expect_fault(rocks_store::open(state_), fault_kind::newer, state_, "later version (format 2)");
  EXPECT_EQ(picture(state_), before) << "something was written";
  expect_fault(rocks_store::look(state_), fault_kind::newer, state_, "later version (format 2)");
}

TEST_F(rocks_faults, newer_keyspace) {
  make(1);
  std::vector<std::string> names;
  ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, state_.string(), &names).ok());
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const auto& name : names)
    families.emplace_back(name, rocksdb::ColumnFamilyOptions{});
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open({}, state_.string(), families, &handles, &raw).ok());
  rocksdb::ColumnFamilyHandle* added = nullptr;
  ASSERT_TRUE(raw->CreateColumnFamily({}, "agents", &added).ok());
  handles.push_back(added);
  for (auto* handle : handles)
    ASSERT_TRUE(raw->DestroyColumnFamilyHandle(handle).ok());
  delete raw;
  expect_fault(rocks_store::open(state_), fault_kind::newer, state_, "'agents'");
  expect_fault(rocks_store::look(state_), fault_kind::newer, state_, "'agents'");
}

TEST_F(rocks_faults, read_only_directory) {
  scratch disk;
  if (!disk.mount("size=16m"))
    GTEST_SKIP() << "mount needs root";
  state_ = disk / "state";
  make(5);
  disk.make_read_only();
  expect_fault(rocks_store::open(state_), fault_kind::forbidden, state_, "Read-only file system");
  expect_fault(rocks_store::open(disk / "new"), fault_kind::forbidden, disk / "new",
               "Read-only file system");
  auto seen = rocks_store::look(state_);
  ASSERT_TRUE(seen) << seen.error().why.to_string();
  expect_first(**seen, 5);
}

TEST_F(rocks_faults, full_disk_when_it_is_opened) {
  scratch disk;
  if (!disk.mount("size=1m"))
    GTEST_SKIP() << "mount needs root";
  state_ = disk / "state";
  replace(disk / "filler", std::string(2 << 20, 'f'));
  expect_fault(rocks_store::open(state_), fault_kind::disk_full, state_, "no space");
  fs::remove(disk / "filler");
  auto store = rocks_store::open(state_);
  ASSERT_TRUE(store) << store.error().why.to_string();
  EXPECT_TRUE(put(**store, "a", "1", durability::durable));
}

/// Fills the disk by writing, makes room, and writes on.
void fill_and_go_on(durability how, const rocks_settings& settings, bool crash) {
  scratch disk;
  if (!disk.mount("size=6m"))
    GTEST_SKIP() << "mount needs root";
  const auto state = disk / "state";
  auto opened = rocks_store::open(state, settings);
  ASSERT_TRUE(opened) << opened.error().why.to_string();
  auto& store = **opened;
  replace(disk / "filler", std::string(4 << 20, 'f'));
  // Random, so that it fills the disk.
  std::string value(10000, 'x');
  uint32_t state_of_random = 1;
  int written = 0;
  outcome<void> last;
  for (; written < 2000; ++written) {
    for (char& c : value)
      c = static_cast<char>((state_of_random = state_of_random * 1664525U + 1013904223U) >> 24U);
    batch two;
    two.put(keyspace::calls, numbered(written), value);
    two.put(keyspace::events, numbered(written), "e");
    last = store.write(two, how);
    if (!last)
      break;
  }
  expect_fault(last, fault_kind::disk_full, state, "no space");
  const auto expect_sound = [&](const class store& s) {
    const auto calls = all_of(s, keyspace::calls);
    const auto events = all_of(s, keyspace::events);
    EXPECT_EQ(calls.size(), static_cast<size_t>(written)) << "of the acknowledged";
    EXPECT_EQ(events.size(), calls.size());
  };
  expect_sound(store);
  // Still full: the same fault again, and nothing half.
  expect_fault(put(store, "again", value, how), fault_kind::disk_full, state, "no space");
  expect_sound(store);
  if (crash) { // now: what a kill leaves on the disk
    scratch elsewhere;
    fs::copy(state, elsewhere / "copy", fs::copy_options::recursive);
    auto after = rocks_store::open(elsewhere / "copy");
    ASSERT_TRUE(after) << after.error().why.to_string();
    expect_sound(**after);
  }
  fs::remove(disk / "filler");
  const auto wrote = put(store, "room", "1", how, keyspace::runs);
  ASSERT_TRUE(wrote) << wrote.error().why.to_string();
  expect_sound(store);
  opened->reset();
  auto again = rocks_store::open(state);
  ASSERT_TRUE(again) << again.error().why.to_string();
  expect_sound(**again);
  EXPECT_EQ((*again)->read(keyspace::runs, "room").value(), "1");
  EXPECT_TRUE((*again)->verify_checksums());
}

TEST_F(rocks_faults, full_disk_under_async_writes) {
  fill_and_go_on(durability::async, {}, true);
}

TEST_F(rocks_faults, full_disk_under_durable_writes) {
  fill_and_go_on(durability::durable, {}, true);
}

TEST_F(rocks_faults, copies_all) {
  memory_store from;
  for (int i = 0; i < 3000; ++i)
    ASSERT_TRUE(put(from, numbered(i), std::string(1000, 'v'), durability::async,
                    i % 2 == 0 ? keyspace::calls : keyspace::events));
  const auto copied = copy_store(from, state_);
  ASSERT_TRUE(copied) << copied.error().why.to_string();
  {
    auto store = rocks_store::open(state_);
    ASSERT_TRUE(store);
    EXPECT_EQ(all_of(**store, keyspace::calls), all_of(from, keyspace::calls));
    EXPECT_EQ(all_of(**store, keyspace::events), all_of(from, keyspace::events));
  }
  EXPECT_FALSE(copy_store(from, state_)) << "over another store";
}

/// Cannot be read to its end.
class broken_store final : public store {
public:
  outcome<void> write(const batch& /*writes*/, durability /*how*/) override { return {}; }
  [[nodiscard]] outcome<std::optional<std::string>> read(keyspace /*space*/,
                                                         std::string_view /*key*/) const override {
    return std::nullopt;
  }
  outcome<void> scan(keyspace space, std::string_view /*first*/, std::string_view /*end*/,
                     const visitor& visit) const override {
    if (space == keyspace::runs)
      (void)visit("run", "1");
    if (space == keyspace::calls)
      return fail(fault_kind::corrupt, "from", "cannot be read");
    return {};
  }
  [[nodiscard]] outcome<std::optional<std::string>> last_key(keyspace /*space*/) const override {
    return std::nullopt;
  }
};

TEST_F(rocks_faults, copy_that_is_not_whole_is_no_store) {
  EXPECT_EQ(copy_store(broken_store{}, state_).error().kind, fault_kind::corrupt);
  expect_fault(rocks_store::open(state_), fault_kind::corrupt, state_, "which format");
}

} // namespace
} // namespace jackfield::storage
