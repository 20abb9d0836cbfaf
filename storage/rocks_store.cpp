#include "storage/rocks_store.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdarg>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/options_util.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include "storage/write_ahead_log.hpp"

namespace jackfield::storage {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view format_key = "format";
constexpr unsigned format_version = 1;
/// Written through before it is flushed: what a crash has to read again.
constexpr uint64_t most_log_bytes = uint64_t{64} << 20U;
constexpr int most_open_files = 256;
/// A look may meet files that the engine removes meanwhile.
constexpr int look_tries = 5;
/// For a write that a look met half done; then the log has grown, or it is torn.
constexpr std::chrono::milliseconds look_again{20};
constexpr std::string_view torn_note =
  "its log ends within a record, as a crash leaves it: all before that is kept";
constexpr std::string_view damaged_note =
  "its log is damaged: what stands before that place can be read (jackfield state export), what "
  "stands behind it cannot";
/// Beside what the logs hold.
constexpr uintmax_t space_at_open = uintmax_t{256} << 10U;
constexpr size_t copy_batch_bytes = size_t{1} << 20U;

rocksdb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}
std::string_view view(const rocksdb::Slice& bytes) {
  return {bytes.data(), bytes.size()};
}

/// What a failure of RocksDB's is to a user.
fault fault_of(const rocksdb::Status& status, const std::string& place) {
  const auto text = status.ToString();
  const auto has = [&](std::string_view words) { return text.find(words) != std::string::npos; };
  if (status.IsNoSpace() || has("No space left"))
    return {fault_kind::disk_full, {place, "no space is left on its disk"}};
  if (has("lock hold by current process") || has("While lock file"))
    return {fault_kind::in_use, {place, "another engine uses it, expected one at a time"}};
  if (has("Permission denied") || has("Read-only file system") || has("Operation not permitted"))
    return {fault_kind::forbidden, {place, "may not be written to: " + text}};
  if (status.IsCorruption() || has("Corruption"))
    return {
      fault_kind::corrupt,
      {place, "is damaged (" + text + "); what can be read still is, by jackfield state export"}};
  return {fault_kind::failed, {place, text}};
}

/// Keeps RocksDB from trying again by itself after a failed write: every other would be refused as
/// "busy" meanwhile, and between two tries of its own it waits for seconds. `write` tries when
/// asked. What fails in the background (a flush) it has to try by itself, for `Resume` waits for
/// that.
class no_recovery_by_itself final : public rocksdb::EventListener {
public:
  void OnErrorRecoveryBegin( // NOLINT(readability-identifier-naming)
    rocksdb::BackgroundErrorReason reason, rocksdb::Status /*error*/, bool* by_itself) override {
    if (reason == rocksdb::BackgroundErrorReason::kWriteCallback ||
        reason == rocksdb::BackgroundErrorReason::kMemTable)
      *by_itself = false;
  }
};

/// RocksDB's own log file would be on the disk that is full, and 7.8 and 9 end the process (an
/// assertion) at the second line that they cannot write there. What matters is in a `fault`.
class no_log_file final : public rocksdb::Logger {
public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*values*/) override {
    // nop
  }
};

rocksdb::Options options_for(const rocks_settings& settings) {
  rocksdb::Options options;
  const auto cache = rocksdb::NewLRUCache(settings.cache_bytes, 2);
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_manager =
    std::make_shared<rocksdb::WriteBufferManager>(settings.write_buffer_bytes);
  options.db_write_buffer_size = settings.write_buffer_bytes;
  options.write_buffer_size = settings.write_buffer_bytes / 2;
  options.max_total_wal_size = most_log_bytes;
  options.recycle_log_file_num = 0; // a torn tail must not be followed by an older log's records
  options.max_open_files = most_open_files;
  options.max_background_jobs = 2;
  options.compression = rocksdb::kLZ4Compression;
  options.info_log = std::make_shared<no_log_file>();
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.paranoid_checks = true;
  options.listeners.push_back(std::make_shared<no_recovery_by_itself>());
  // A hole in the log is damage; an end within a record is how a crash leaves it.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families(const rocksdb::Options& options) {
  std::vector<rocksdb::ColumnFamilyDescriptor> all;
  for (size_t i = 0; i < keyspaces; ++i)
    all.emplace_back(std::string{name_of(static_cast<keyspace>(i))},
                     rocksdb::ColumnFamilyOptions(options));
  return all;
}

fault damaged_log(const std::string& place) {
  return {fault_kind::corrupt, {place, std::string{damaged_note} + "; nothing is written to it"}};
}

/// RocksDB ends the process where it cannot write what it writes at its beginning (an assertion of
/// 7.8 and 9): what stands in the logs, and its own small files.
outcome<void> expect_space(const fs::path& directory) {
  std::error_code code;
  const auto space = fs::space(directory, code);
  if (code)
    return fail(fault_kind::failed, directory.string(),
                "its disk cannot be asked for space: " + code.message());
  uintmax_t wanted = space_at_open;
  for (fs::directory_iterator at{directory, code}, end; !code && at != end; at.increment(code))
    if (std::error_code none; at->path().extension() == ".log")
      wanted += at->file_size(none);
  if (space.available < wanted)
    return fail(fault_kind::disk_full, directory.string(),
                "no space is left on its disk: " + std::to_string(space.available) +
                  " bytes, expected at least " + std::to_string(wanted));
  return {};
}

bool holds_store(const fs::path& directory) {
  std::error_code none;
  return fs::exists(directory / "CURRENT", none);
}

/// Is what RocksDB makes before a store is one (all but data) the only thing that is there?
bool is_barely_begun(const fs::path& directory) {
  std::error_code none;
  for (fs::directory_iterator at{directory, none}, end; at != end; at.increment(none)) {
    const auto name = at->path().filename().string();
    if (name != "LOCK" && name != "IDENTITY" && !name.starts_with("LOG") &&
        !name.starts_with("MANIFEST-") && !name.ends_with(".dbtmp"))
      return false;
  }
  return true;
}

/// Are there data of a store that is none any more?
bool remains(const fs::path& directory) {
  std::error_code none;
  return fs::exists(directory / "IDENTITY", none) && !is_barely_begun(directory);
}

fault lost_current(const std::string& place) {
  return {fault_kind::corrupt,
          {place, "is damaged (its file CURRENT is missing); it is left as it is"}};
}

/// Makes the directory and those above; it holds keys of calls, so others may not read it.
outcome<void> make_directory(const fs::path& directory) {
  std::error_code code;
  if (fs::exists(directory, code) && !fs::is_directory(directory, code))
    return fail(fault_kind::forbidden, directory.string(), "is no directory");
  const bool made = fs::create_directories(directory, code);
  if (code)
    return fail(code == std::errc::no_space_on_device ? fault_kind::disk_full
                                                      : fault_kind::forbidden,
                directory.string(), "cannot be made: " + code.message());
  if (made)
    fs::permissions(directory, fs::perms::owner_all, code);
  if (::access(directory.c_str(), W_OK | X_OK) != 0)
    return fail(fault_kind::forbidden, directory.string(),
                "may not be written to: " + std::generic_category().message(errno));
  if (made || holds_store(directory))
    return {};
  if (remains(directory))
    return tl::unexpected<fault>{lost_current(directory.string())};
  if (!is_barely_begun(directory))
    return fail(fault_kind::missing, directory.string(),
                "holds other files, expected a state directory, or none, or an empty one");
  return {};
}

/// A directory for what RocksDB writes of its own while it only looks.
class scratch_directory {
public:
  scratch_directory() {
    auto name = (fs::temp_directory_path() / "jackfield-look-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr)
      path_ = name;
  }
  ~scratch_directory() {
    std::error_code none;
    if (!path_.empty())
      fs::remove_all(path_, none);
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  [[nodiscard]] const fs::path& path() const noexcept { return path_; }

private:
  fs::path path_;
};

} // namespace

struct rocks_store::parts {
  ~parts() {
    for (auto* handle : handles)
      if (db)
        (void)db->DestroyColumnFamilyHandle(handle);
    if (db)
      (void)db->Close();
  }

  [[nodiscard]] rocksdb::ColumnFamilyHandle* of(keyspace space) const {
    return handles.at(static_cast<size_t>(space));
  }
  [[nodiscard]] tl::unexpected<fault> failed(const rocksdb::Status& status) const {
    return tl::unexpected<fault>{fault_of(status, place)};
  }

  std::string place;
  std::unique_ptr<scratch_directory> scratch; // where it only looks
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  std::string note;
  bool damaged = false; // its log is
  bool failing = false; // a write failed: RocksDB has to be told to go on
};

namespace {

/// Fails if a later version wrote the store, which may have keyspaces that we do not know.
outcome<void> check_version(const std::optional<std::string>& stored, const std::string& place) {
  unsigned version = 0;
  if (stored)
    std::from_chars(stored->data(), stored->data() + stored->size(), version);
  if (version > format_version)
    return fail(fault_kind::newer, place,
                "was written by a later version (format " + *stored + "), expected " +
                  std::to_string(format_version) + " or lower");
  if (version == 0)
    return fail(fault_kind::corrupt, place, "does not say which format it has");
  return {};
}

/// Does a store have all keyspaces of ours? Fails if it has others: a later version wrote it.
outcome<bool> check_families(const rocksdb::Options& options, const std::string& place) {
  std::vector<std::string> names;
  if (const auto status = rocksdb::DB::ListColumnFamilies(options, place, &names); !status.ok())
    return tl::unexpected<fault>{fault_of(status, place)};
  for (const auto& name : names) {
    bool known = false;
    for (size_t i = 0; i < keyspaces; ++i)
      known = known || name == name_of(static_cast<keyspace>(i));
    if (!known)
      return fail(fault_kind::newer, place,
                  "was written by a later version: it has a keyspace '" + name + "'");
  }
  return names.size() == keyspaces;
}

/// Fails if a later version wrote the store; nothing is written to find that out.
outcome<void> check_before_writing(const rocksdb::Options& options, const std::string& place) {
  if (auto known = check_families(options, place); !known)
    return tl::unexpected{std::move(known.error())};
  rocksdb::DB* raw = nullptr;
  if (const auto status = rocksdb::DB::OpenForReadOnly(options, place, &raw); !status.ok())
    return tl::unexpected<fault>{fault_of(status, place)};
  const std::unique_ptr<rocksdb::DB> db{raw};
  std::string version;
  const auto status = db->Get(rocksdb::ReadOptions{}, slice(format_key), &version);
  if (status.IsNotFound()) // cut off while it was made
    return {};
  if (!status.ok())
    return tl::unexpected<fault>{fault_of(status, place)};
  return check_version(version, place);
}

/// The format is the first that is written: a store without it that holds nothing was cut off while
/// it was made. Fails if it is of a later version, or missing where there is something.
outcome<bool> is_finished(const store& s, const std::string& place) {
  const auto version = s.read(keyspace::meta, format_key);
  if (!version)
    return tl::unexpected{version.error()};
  bool holds_something = version->has_value();
  for (size_t i = 0; i < keyspaces && !holds_something; ++i) {
    const auto last = s.last_key(static_cast<keyspace>(i));
    if (!last)
      return tl::unexpected{last.error()};
    holds_something = last->has_value();
  }
  if (!holds_something)
    return false;
  if (auto readable = check_version(*version, place); !readable)
    return tl::unexpected{std::move(readable.error())};
  return true;
}

outcome<void> write_format(store& s) {
  batch format;
  format.put(keyspace::meta, std::string{format_key}, std::to_string(format_version));
  return s.write(format, durability::durable);
}

tl::unexpected<fault> no_store(const std::string& place) {
  return fail(fault_kind::missing, place, "holds no state, expected the directory of a --state");
}

} // namespace

rocks_store::rocks_store(std::unique_ptr<parts> p) : parts_(std::move(p)) {
  // nop
}

rocks_store::~rocks_store() = default;

outcome<std::unique_ptr<rocks_store>> rocks_store::open(const fs::path& directory,
                                                        const rocks_settings& settings) {
  auto p = std::make_unique<parts>();
  p->place = directory.string();
  if (auto made = make_directory(directory); !made)
    return tl::unexpected{std::move(made.error())};
  if (auto space = expect_space(directory); !space)
    return tl::unexpected{std::move(space.error())};
  auto options = options_for(settings);
  const bool is_new = !holds_store(directory);
  options.create_if_missing = is_new;
  options.create_missing_column_families = true;
  if (!is_new) {
    const auto log = state_of_logs(directory);
    if (log == log_state::damaged)
      return tl::unexpected<fault>{damaged_log(p->place)};
    if (auto readable = check_before_writing(options, p->place); !readable)
      return tl::unexpected{std::move(readable.error())};
    if (log == log_state::torn)
      p->note = torn_note;
  }
  rocksdb::DB* raw = nullptr;
  auto status = rocksdb::DB::Open(options, p->place, families(options), &p->handles, &raw);
  if (!status.ok())
    return tl::unexpected<fault>{fault_of(status, p->place)};
  p->db.reset(raw);
  std::unique_ptr<rocks_store> made{new rocks_store{std::move(p)}};
  const auto finished = is_finished(*made, made->parts_->place);
  if (!finished)
    return tl::unexpected{finished.error()};
  if (!*finished)
    if (auto written = write_format(*made); !written)
      return tl::unexpected{std::move(written.error())};
  return made;
}

outcome<std::unique_ptr<rocks_store>> rocks_store::look(const fs::path& directory) {
  const auto place = directory.string();
  if (!holds_store(directory))
    return remains(directory) ? tl::unexpected<fault>{lost_current(place)} : no_store(place);
  auto options = options_for({});
  options.max_open_files = -1; // what is open stays, whatever the engine removes
  rocksdb::Status status;
  for (int i = 0; i < look_tries; ++i) {
    auto all = check_families(options, place);
    if (!all) {
      if (all.error().kind == fault_kind::failed && i + 1 < look_tries)
        continue;
      return tl::unexpected{std::move(all.error())};
    }
    if (!*all)
      return no_store(place);
    const auto log = state_of_logs(directory);
    if (log != log_state::whole && i + 1 < look_tries) { // or an engine writes just now
      std::this_thread::sleep_for(look_again);
      continue;
    }
    auto p = std::make_unique<parts>();
    p->place = place;
    if (log == log_state::torn)
      p->note = torn_note;
    if (log == log_state::damaged) {
      p->note = damaged_note;
      p->damaged = true;
      options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    }
    p->scratch = std::make_unique<scratch_directory>();
    rocksdb::DB* raw = nullptr;
    status = p->damaged // by no engine's hand: nobody writes to it
               ? rocksdb::DB::OpenForReadOnly(options, place, families(options), &p->handles, &raw)
               : rocksdb::DB::OpenAsSecondary(options, place, p->scratch->path().string(),
                                              families(options), &p->handles, &raw);
    if (status.ok()) {
      p->db.reset(raw);
      std::unique_ptr<rocks_store> made{new rocks_store{std::move(p)}};
      const auto finished = is_finished(*made, place);
      if (!finished)
        return tl::unexpected{finished.error()};
      if (!*finished)
        return no_store(place);
      return made;
    }
    if (status.IsCorruption())
      break;
  }
  return tl::unexpected<fault>{fault_of(status, place)};
}

bool rocks_store::in_use(const fs::path& directory) noexcept {
  const int lock = ::open((directory / "LOCK").c_str(), O_RDONLY | O_CLOEXEC);
  if (lock < 0)
    return false;
  struct flock held {};
  held.l_type = F_RDLCK;
  held.l_whence = SEEK_SET;
  const bool known = ::fcntl(lock, F_GETLK, &held) == 0;
  ::close(lock);
  return known && held.l_type != F_UNLCK;
}

outcome<void> rocks_store::write(const batch& writes, durability how) {
  if (parts_->failing) { // space may have been made since
    const auto status = parts_->db->Resume();
    if (status.IsBusy()) // it tries by itself
      return fail(fault_kind::disk_full, parts_->place, "no space is left on its disk, or was");
    if (!status.ok())
      return parts_->failed(status);
    parts_->failing = false;
  }
  rocksdb::WriteBatch out{writes.bytes() + writes.entries().size() * 16};
  for (const auto& entry : writes.entries()) {
    const auto status = entry.erase
                          ? out.Delete(parts_->of(entry.space), slice(entry.key))
                          : out.Put(parts_->of(entry.space), slice(entry.key), slice(entry.value));
    if (!status.ok())
      return parts_->failed(status);
  }
  rocksdb::WriteOptions options;
  options.sync = how == durability::durable;
  if (const auto status = parts_->db->Write(options, &out); !status.ok()) {
    parts_->failing = true;
    return parts_->failed(status);
  }
  return {};
}

outcome<std::optional<std::string>> rocks_store::read(keyspace space, std::string_view key) const {
  std::string value;
  const auto status =
    parts_->db->Get(rocksdb::ReadOptions{}, parts_->of(space), slice(key), &value);
  if (status.IsNotFound())
    return std::nullopt;
  if (!status.ok())
    return parts_->failed(status);
  return value;
}

outcome<void> rocks_store::scan(keyspace space, std::string_view first, std::string_view end,
                                const visitor& visit) const {
  rocksdb::ReadOptions options;
  const auto bound = slice(end);
  if (!end.empty())
    options.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> at{parts_->db->NewIterator(options, parts_->of(space))};
  for (at->Seek(slice(first)); at->Valid(); at->Next())
    if (!visit(view(at->key()), view(at->value())))
      return {};
  if (!at->status().ok())
    return parts_->failed(at->status());
  return {};
}

outcome<std::optional<std::string>> rocks_store::last_key(keyspace space) const {
  const std::unique_ptr<rocksdb::Iterator> at{
    parts_->db->NewIterator(rocksdb::ReadOptions{}, parts_->of(space))};
  at->SeekToLast();
  if (at->Valid())
    return at->key().ToString();
  if (!at->status().ok())
    return parts_->failed(at->status());
  return std::nullopt;
}

const std::string& rocks_store::note() const noexcept {
  return parts_->note;
}

outcome<void> rocks_store::verify_checksums() const {
  if (parts_->damaged)
    return tl::unexpected<fault>{damaged_log(parts_->place)};
  if (const auto status = parts_->db->VerifyChecksum(); !status.ok())
    return parts_->failed(status);
  return {};
}

outcome<void> rocks_store::compact() {
  for (auto* family : parts_->handles)
    if (const auto status =
          parts_->db->CompactRange(rocksdb::CompactRangeOptions{}, family, nullptr, nullptr);
        !status.ok())
      return parts_->failed(status);
  return {};
}

outcome<void> copy_store(const store& from, const fs::path& directory) {
  if (holds_store(directory))
    return fail(fault_kind::in_use, directory.string(),
                "holds state already, expected an empty or missing directory");
  auto made = rocks_store::open(directory);
  if (!made)
    return tl::unexpected{std::move(made.error())};
  auto& into = **made;
  // A copy that is cut off has no format, and is refused.
  batch unfinished;
  unfinished.erase(keyspace::meta, std::string{format_key});
  if (auto erased = into.write(unfinished, durability::durable); !erased)
    return erased;
  for (size_t i = 0; i < keyspaces; ++i) {
    const auto space = static_cast<keyspace>(i);
    batch some;
    outcome<void> written;
    auto scanned = from.scan(space, {}, {}, [&](std::string_view key, std::string_view value) {
      if (space == keyspace::meta && key == format_key)
        return true;
      some.put(space, std::string{key}, std::string{value});
      if (some.bytes() < copy_batch_bytes)
        return true;
      written = into.write(std::exchange(some, {}), durability::async);
      return written.has_value();
    });
    if (written && scanned)
      written = into.write(some, durability::async);
    if (!scanned)
      return scanned;
    if (!written)
      return written;
  }
  return write_format(into);
}

} // namespace jackfield::storage
