// SPDX-License-Identifier: Apache-2.0
//! `wasi:filesystem` for components: the directories of the system that a run was given, by Wasmtime's implementation, or
//! the files that it was given as data (`files`). A run has one of the two. Descriptors, listings and streams of the
//! latter are entries of the guest's resource table, so their number is limited like that of all others.
use std::sync::Arc;

use bytes::Bytes;
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime::Result;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream,
    ErrorCode, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{FsError, FsResult, InputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use crate::files::{self, Errno, Purpose, Tree};

/// What an open descriptor of a file or directory leads to.
#[derive(Clone, Copy)]
struct Opened(usize);

/// A directory that is being listed, and the name that was listed last.
struct Listing {
    node: usize,
    last: Option<String>,
}

/// A file that is being read.
struct Reader {
    tree: Arc<Tree>,
    node: usize,
    position: u64,
}

fn piece(tree: &Tree, node: usize, position: u64, length: u64) -> std::result::Result<&[u8], Errno> {
    let bytes = tree.bytes_of(node)?;
    let start = usize::try_from(position).unwrap_or(usize::MAX).min(bytes.len());
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(files::PIECE);
    Ok(&bytes[start..bytes.len().min(start.saturating_add(length))])
}

#[async_trait]
impl Pollable for Reader {
    async fn ready(&mut self) {}
}

impl InputStream for Reader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let bytes = piece(&self.tree, self.node, self.position, size as u64).unwrap_or_default();
        if bytes.is_empty() && size > 0 {
            return Err(StreamError::Closed);
        }
        self.position += bytes.len() as u64;
        Ok(Bytes::copy_from_slice(bytes))
    }
}

fn code(errno: Errno) -> FsError {
    let code = match errno {
        files::BAD_DESCRIPTOR => ErrorCode::BadDescriptor,
        files::EXISTS => ErrorCode::Exist,
        files::IS_DIRECTORY => ErrorCode::IsDirectory,
        files::NAME_TOO_LONG => ErrorCode::NameTooLong,
        files::NOT_THERE => ErrorCode::NoEntry,
        files::NO_DIRECTORY => ErrorCode::NotDirectory,
        files::NOT_PERMITTED => ErrorCode::NotPermitted,
        files::READ_ONLY => ErrorCode::ReadOnly,
        _ => ErrorCode::Invalid,
    };
    code.into()
}

fn read_only<T>() -> FsResult<T> {
    Err(ErrorCode::ReadOnly.into())
}

pub struct Filesystem;

impl HasData for Filesystem {
    type Data<'a> = FilesystemView<'a>;
}

pub enum FilesystemView<'a> {
    System(WasiFilesystemCtxView<'a>),
    Given { tree: Arc<Tree>, table: &'a mut ResourceTable },
}

use FilesystemView::{Given, System};

/// The type that the interface has for a descriptor is Wasmtime's; in the table it is ours.
fn node_of(table: &ResourceTable, fd: &Resource<Descriptor>) -> FsResult<usize> {
    Ok(table.get(&Resource::<Opened>::new_borrow(fd.rep()))?.0)
}

fn push(table: &mut ResourceTable, node: usize) -> Result<Resource<Descriptor>> {
    Ok(Resource::new_own(table.push(Opened(node))?.rep()))
}

fn type_of(tree: &Tree, node: usize) -> DescriptorType {
    match tree.is_file(node) {
        true => DescriptorType::RegularFile,
        false => DescriptorType::Directory,
    }
}

fn status(tree: &Tree, node: usize) -> DescriptorStat {
    DescriptorStat {
        type_: type_of(tree, node),
        link_count: 1,
        size: tree.bytes_of(node).map_or(0, <[u8]>::len) as u64,
        data_access_timestamp: None,
        data_modification_timestamp: None,
        status_change_timestamp: None,
    }
}

fn may_wait(kind: DescriptorType) -> bool {
    use DescriptorType::{Directory, RegularFile, SymbolicLink};
    !matches!(kind, Directory | RegularFile | SymbolicLink)
}

fn hash(node: usize) -> MetadataHashValue {
    MetadataHashValue { lower: node as u64 + 1, upper: 0 }
}

impl preopens::Host for FilesystemView<'_> {
    fn get_directories(&mut self) -> Result<Vec<(Resource<Descriptor>, String)>> {
        match self {
            System(view) => preopens::Host::get_directories(view),
            Given { table, .. } => Ok(vec![(push(table, files::ROOT)?, "/".to_owned())]),
        }
    }
}

impl types::Host for FilesystemView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> Result<ErrorCode> {
        error.downcast()
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> Result<Option<ErrorCode>> {
        match self {
            System(view) => types::Host::filesystem_error_code(view, error),
            Given { .. } => Ok(None),
        }
    }
}

/// Methods that Wasmtime's implementation does for directories of the system; the second part is what they do on files
/// given as data.
macro_rules! methods {
    ($(fn $name:ident(fd $(, $argument:ident: $kind:ty)*) -> $result:ty, |$tree:ident, $table:ident, $fd:ident| $action:expr;)*) => {
        $(
            #[allow(unused_variables)]
            async fn $name(&mut self, fd: Resource<Descriptor> $(, $argument: $kind)*) -> FsResult<$result> {
                match self {
                    System(view) => HostDescriptor::$name(view, fd $(, $argument)*).await,
                    Given { tree: $tree, table: $table } => {
                        let $fd = node_of($table, &fd)?;
                        $action
                    }
                }
            }
        )*
    };
}

impl HostDescriptor for FilesystemView<'_> {
    methods! {
        fn advise(fd, offset: u64, length: u64, advice: Advice) -> (), |tree, table, node| Ok(());
        fn sync_data(fd) -> (), |tree, table, node| Ok(());
        fn sync(fd) -> (), |tree, table, node| Ok(());
        fn get_flags(fd) -> DescriptorFlags, |tree, table, node| Ok(DescriptorFlags::READ);
        fn get_type(fd) -> DescriptorType, |tree, table, node| Ok(type_of(tree, node));
        fn stat(fd) -> DescriptorStat, |tree, table, node| Ok(status(tree, node));
        fn metadata_hash(fd) -> MetadataHashValue, |tree, table, node| Ok(hash(node));
        fn read(fd, length: u64, offset: u64) -> (Vec<u8>, bool), |tree, table, node| {
            let bytes = piece(tree, node, offset, length).map_err(code)?;
            Ok((bytes.to_vec(), bytes.is_empty()))
        };
        fn read_directory(fd) -> Resource<DirectoryEntryStream>, |tree, table, node| {
            tree.entry_after(node, None).map_err(code)?;
            Ok(Resource::new_own(table.push(Listing { node, last: None })?.rep()))
        };
        fn stat_at(fd, flags: PathFlags, path: String) -> DescriptorStat, |tree, table, node| {
            Ok(status(tree, tree.find(node, &path).map_err(code)?))
        };
        fn metadata_hash_at(fd, flags: PathFlags, path: String) -> MetadataHashValue, |tree, table, node| {
            Ok(hash(tree.find(node, &path).map_err(code)?))
        };
        fn readlink_at(fd, path: String) -> String, |tree, table, node| {
            tree.find(node, &path).map_err(code)?;
            Err(ErrorCode::Invalid.into())
        };
        fn set_size(fd, size: u64) -> (), |tree, table, node| read_only();
        fn set_times(fd, read: NewTimestamp, written: NewTimestamp) -> (), |tree, table, node| read_only();
        fn write(fd, bytes: Vec<u8>, offset: u64) -> u64, |tree, table, node| read_only();
        fn create_directory_at(fd, path: String) -> (), |tree, table, node| read_only();
        fn set_times_at(fd, flags: PathFlags, path: String, read: NewTimestamp, written: NewTimestamp)
            -> (), |tree, table, node| read_only();
        fn link_at(fd, flags: PathFlags, path: String, other: Resource<Descriptor>, to: String)
            -> (), |tree, table, node| read_only();
        fn remove_directory_at(fd, path: String) -> (), |tree, table, node| read_only();
        fn rename_at(fd, path: String, other: Resource<Descriptor>, to: String) -> (), |tree, table, node| read_only();
        fn symlink_at(fd, path: String, to: String) -> (), |tree, table, node| read_only();
        fn unlink_file_at(fd, path: String) -> (), |tree, table, node| read_only();
    }

    async fn open_at(
        &mut self,
        fd: Resource<Descriptor>,
        follow: PathFlags,
        path: String,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        match self {
            System(view) => {
                let directory = Resource::new_borrow(fd.rep());
                // A FIFO, a socket or a device: to open or read it could take for ever, and nothing could end that wait.
                match HostDescriptor::stat_at(view, directory, follow, path.clone()).await {
                    Ok(found) if may_wait(found.type_) => Err(ErrorCode::Unsupported.into()),
                    _ => HostDescriptor::open_at(view, fd, follow, path, open, flags).await,
                }
            }
            Given { tree, table } => {
                let purpose = Purpose {
                    creates: open.contains(OpenFlags::CREATE),
                    directory: open.contains(OpenFlags::DIRECTORY),
                    exclusive: open.contains(OpenFlags::EXCLUSIVE),
                    writes: open.contains(OpenFlags::TRUNCATE) || flags.contains(DescriptorFlags::WRITE),
                };
                let found = tree.open(node_of(table, &fd)?, &path, purpose).map_err(code)?;
                push(table, found).map_err(FsError::trap)
            }
        }
    }

    async fn is_same_object(&mut self, a: Resource<Descriptor>, b: Resource<Descriptor>) -> Result<bool> {
        match self {
            System(view) => HostDescriptor::is_same_object(view, a, b).await,
            Given { table, .. } => {
                let opened = |fd: Resource<Descriptor>| Resource::<Opened>::new_borrow(fd.rep());
                Ok(table.get(&opened(a))?.0 == table.get(&opened(b))?.0)
            }
        }
    }

    fn read_via_stream(&mut self, fd: Resource<Descriptor>, offset: u64) -> FsResult<Resource<DynInputStream>> {
        match self {
            System(view) => HostDescriptor::read_via_stream(view, fd, offset),
            Given { tree, table } => {
                let node = node_of(table, &fd)?;
                tree.bytes_of(node).map_err(code)?;
                let reader: DynInputStream = Box::new(Reader { tree: tree.clone(), node, position: offset });
                Ok(table.push(reader)?)
            }
        }
    }

    fn write_via_stream(&mut self, fd: Resource<Descriptor>, offset: u64) -> FsResult<Resource<DynOutputStream>> {
        match self {
            System(view) => HostDescriptor::write_via_stream(view, fd, offset),
            Given { .. } => read_only(),
        }
    }

    fn append_via_stream(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<DynOutputStream>> {
        match self {
            System(view) => HostDescriptor::append_via_stream(view, fd),
            Given { .. } => read_only(),
        }
    }

    fn drop(&mut self, fd: Resource<Descriptor>) -> Result<()> {
        match self {
            System(view) => HostDescriptor::drop(view, fd),
            Given { table, .. } => Ok(table.delete(Resource::<Opened>::new_own(fd.rep())).map(|_| ())?),
        }
    }
}

impl HostDirectoryEntryStream for FilesystemView<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        match self {
            System(view) => HostDirectoryEntryStream::read_directory_entry(view, stream).await,
            Given { tree, table } => {
                let listing = table.get_mut(&Resource::<Listing>::new_borrow(stream.rep()))?;
                let next = tree.entry_after(listing.node, listing.last.as_deref()).map_err(code)?;
                let Some((name, node)) = next else { return Ok(None) };
                listing.last = Some(name.to_owned());
                Ok(Some(DirectoryEntry { type_: type_of(tree, node), name: name.to_owned() }))
            }
        }
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> Result<()> {
        match self {
            System(view) => HostDirectoryEntryStream::drop(view, stream),
            Given { table, .. } => Ok(table.delete(Resource::<Listing>::new_own(stream.rep())).map(|_| ())?),
        }
    }
}
