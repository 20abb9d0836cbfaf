#include "storage/write_ahead_log.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <boost/crc.hpp>

namespace jackfield::storage {

namespace {

namespace fs = std::filesystem;

/// A log is blocks; records do not cross them, but for those that are cut into fragments.
constexpr size_t block_bytes = size_t{32} << 10U;
/// Checksum (4), length (2), type (1).
constexpr size_t header_bytes = 7;

enum record_type : uint8_t { nothing = 0, full = 1, first = 2, middle = 3, last = 4 };

/// CRC-32C of type and payload, masked as RocksDB keeps it.
uint32_t checksum(std::string_view bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  const uint32_t sum = crc.checksum();
  return (sum >> 15U | sum << 17U) + 0xa282ead8U;
}

uint32_t little_endian(std::string_view bytes) {
  uint32_t number = 0;
  for (size_t i = bytes.size(); i-- > 0;)
    number = number << 8U | static_cast<unsigned char>(bytes[i]);
  return number;
}

/// The size of the record at the beginning, with its header; 0: its end lies beyond the bytes.
size_t size_of_record(std::string_view bytes) {
  if (bytes.size() < header_bytes)
    return 0;
  const size_t size = header_bytes + little_endian(bytes.substr(4, 2));
  return size <= bytes.size() ? size : 0;
}

bool is_sound(std::string_view record) {
  return little_endian(record.substr(0, 4)) == checksum(record.substr(6));
}

bool is_blank(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

/// Does a record stand anywhere in the bytes? Of the kinds that are written, so that of almost all
/// places no checksum has to be made.
bool holds_record(std::string_view bytes) {
  for (; bytes.size() > header_bytes; bytes.remove_prefix(1)) {
    const auto type = static_cast<unsigned char>(bytes[6]);
    if (type < full || type > last)
      continue;
    if (const auto size = size_of_record(bytes);
        size > header_bytes && is_sound(bytes.substr(0, size)))
      return true;
  }
  return false;
}

/// Reads block after block.
class log_reader {
public:
  explicit log_reader(const fs::path& file) : in_(file, std::ios::binary) {}

  /// The next block, of fewer bytes at the end of the file.
  std::string_view block() {
    in_.read(bytes_.data(), static_cast<std::streamsize>(bytes_.size()));
    return {bytes_.data(), static_cast<size_t>(in_.gcount())};
  }

private:
  std::ifstream in_;
  std::vector<char> bytes_ = std::vector<char>(block_bytes);
};

/// What a log is that cannot be read on from the beginning of `rest`, in its block, on.
log_state broken_at(std::string_view rest, log_reader& in) {
  if (!rest.empty() && holds_record(rest.substr(1)))
    return log_state::damaged;
  for (auto block = in.block(); !block.empty(); block = in.block())
    if (!is_blank(block))
      return log_state::damaged;
  return log_state::torn;
}

} // namespace

log_state state_of_log(const fs::path& file) {
  log_reader in{file};
  bool inside = false; // of a record in fragments
  for (auto block = in.block(); !block.empty(); block = in.block()) {
    const bool is_whole_block = block.size() == block_bytes;
    while (!block.empty()) {
      if (is_whole_block && block.size() < header_bytes)
        break; // no header fits there
      const auto size = size_of_record(block);
      if (size == 0 || (block[6] == nothing && is_blank(block)))
        return broken_at(block, in);
      if (!is_sound(block.substr(0, size)))
        return log_state::damaged;
      const auto type = static_cast<unsigned char>(block[6]);
      if (type >= full && type <= last)
        inside = type == first || type == middle;
      block.remove_prefix(size);
    }
  }
  return inside ? log_state::torn : log_state::whole;
}

log_state state_of_logs(const fs::path& directory) {
  std::map<uint64_t, fs::path> logs;
  std::error_code none;
  for (fs::directory_iterator at{directory, none}, end; at != end; at.increment(none)) {
    const auto name = at->path().filename().string();
    std::error_code gone;
    if (at->path().extension() == ".log" &&
        name.find_first_not_of("0123456789") == name.size() - 4 &&
        fs::file_size(at->path(), gone) > 0 && !gone)
      logs.emplace(std::stoull(name), at->path());
  }
  auto newest = log_state::whole;
  for (const auto& [number, file] : logs) {
    newest = state_of_log(file);
    if (newest == log_state::damaged)
      return newest;
  }
  return newest;
}

} // namespace jackfield::storage
