"""Every sentence that a user may be shown, under a stable code.

Errors and notices travel as a code and its parameters (in exceptions, in
database rows, in JSON), so that each reader gets them in their own language.
A sentence says what was found, what the limit is and what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def N_(text: str) -> str:
    """Mark ``text`` for translation and return it unchanged."""
    return text


MESSAGES: dict[str, str] = {
    # media that cannot be taken
    "media.empty": N_("The file is empty. Upload the recording again."),
    "media.not_video": N_(
        "“%(name)s” is not a video that can be read. Use a video file such as MP4, AVI, MOV, MKV or WebM."
    ),
    "media.playlist": N_(
        "“%(name)s” is a playlist or a list of other files, which is not opened. Upload the video file itself."
    ),
    "media.no_video_stream": N_("“%(name)s” holds sound but no picture. Upload a file with a video stream."),
    "media.truncated": N_(
        "“%(name)s” ends before its first picture can be read. It was probably cut off while being copied; copy it again."
    ),
    "media.too_long": N_(
        "“%(name)s” lasts %(duration_s)d seconds; the limit is %(limit_s)d. Cut it into shorter files, or raise RESIGHT_MAX_DURATION_S."
    ),
    "media.too_many_pixels": N_(
        "“%(name)s” has pictures of %(width)d×%(height)d; the limit is %(limit)d pixels. Scale it down, or raise RESIGHT_MAX_PIXELS."
    ),
    "media.too_large": N_(
        "The file is larger than the limit of %(limit_bytes)d bytes. Cut it into smaller files, or raise RESIGHT_MAX_UPLOAD_BYTES."
    ),
    "media.probe_timeout": N_(
        "“%(name)s” could not be examined within %(limit_s)d seconds. The file is probably damaged; convert it and upload it again."
    ),
    "media.decode_failed": N_(
        "The video could not be read any further after frame %(frame)d (%(detail)s). Convert it, for example to H.264 MP4, and upload it again."
    ),
    "media.not_found": N_("There is no file at “%(name)s”. Check the path."),
    "media.codec_unsupported": N_(
        "The picture of “%(name)s” is coded in a way that cannot be read here. Convert it, for example to H.264 MP4, and upload it again."
    ),
    "media.camera_unavailable": N_(
        "No picture comes from the camera “%(name)s”. Check that it is connected and that the address is right."
    ),
    "media.no_pictures": N_(
        "The folder “%(name)s” holds no pictures. Use one with JPEG, PNG, BMP, TIFF or WebP files."
    ),
    # weights and models
    "model.weights_missing": N_(
        "No weights for %(model)s were found at “%(path)s”. Put the files there or choose another one."
    ),
    "model.weights_mismatch": N_("The weights “%(path)s” do not fit %(model)s: %(detail)s."),
    "model.export_unreadable": N_("The model in “%(path)s” cannot be used: %(detail)s."),
    "model.unknown": N_("There is no %(what)s named “%(name)s”. Choose one of: %(choices)s."),
    "model.timm_missing": N_(
        "There is no network named “%(name)s” here. Choose one of: %(choices)s. For a network of timm's, install timm first."
    ),
    "model.architecture_unknown": N_(
        "The weights “%(path)s” do not say which network they are of. Name it, for example resnet101_vd."
    ),
    "model.export_differs": N_(
        "The network exported as %(format)s gives other vectors than the network itself: they differ by %(difference)s of the largest value, and %(limit)s is the limit. Nothing was written; export in another format."
    ),
    "model.gpu_missing": N_(
        "A GPU was asked for, but %(runtime)s can use none here. Install its GPU build, or switch the GPU off."
    ),
    "model.untrained": N_(
        "The model in “%(path)s” was exported without trained weights, so its vectors mean nothing. Export it again from a trained checkpoint."
    ),
    "model.builtin_detector": N_(
        "People and vehicles were found by the built-in detector, which is small and was trained on rendered pictures only. "
        "Put a YOLOX ONNX file or a PaddleDetection export in %(path)s for better results."
    ),
    # The next two are said of results of earlier versions, which stand in the database.
    "model.hog_fallback": N_(
        "No detector weights were found, so people were found with OpenCV's HOG, which misses many of them and sees no vehicles. "
        "Put a YOLOX ONNX file or a PaddleDetection export in %(path)s for better results."
    ),
    "model.builtin_embedder": N_(
        "Tracks were described by the built-in embedder, which knows little more than the colours of clothes and was trained on rendered pictures only. "
        "Put a trained Paddle export in %(path)s for better results."
    ),
    "model.descriptor_fallback": N_(
        "No trained embedding weights were found, so people are told apart by the colours of their clothes (HSV stripe histogram), not by a network."
    ),
    # data sets to train and judge on
    "data.unknown": N_("There is no data set named “%(name)s”. Choose one of: %(choices)s."),
    "data.folder_missing": N_(
        "“%(path)s”, which %(dataset)s needs, is not there. Give the folder that holds %(holds)s."
    ),
    "data.file_missing": N_(
        "“%(path)s” is named in %(dataset)s but is not there, or cannot be opened. Check that the data set is complete."
    ),
    "data.no_images": N_("No picture of %(dataset)s was found in “%(path)s”. One would be named like “%(example)s”."),
    "data.name": N_(
        "The name of “%(path)s” does not tell identity and camera as in %(dataset)s. It should look like “%(example)s”."
    ),
    "data.no_label": N_("“%(path)s” has no line in %(labels)s. Check that pictures and labels belong together."),
    "data.unreadable": N_("“%(path)s” cannot be read as %(what)s: %(detail)s."),
    "data.empty_split": N_("%(dataset)s has no pictures in its part “%(split)s”. Check that the data set is complete."),
    "data.too_few_identities": N_(
        "%(dataset)s has %(count)d identities to train on; at least %(limit)d are needed. Take a smaller batch, or add identities."
    ),
    "data.no_pairs": N_(
        "None of the %(count)d identities of %(dataset)s has two pictures, so there is nothing to compare. Add pictures of the same identities."
    ),
    "data.one_camera": N_(
        "All pictures of %(dataset)s come from camera %(camera)d; finding someone again across cameras needs at least 2. Name the cameras (c1, c2, …) or judge without the rule of cameras."
    ),
    "data.no_other_camera": N_(
        "No query of %(dataset)s has a picture of the same identity from another camera in the gallery. Check identities and cameras."
    ),
    "data.class_dim": N_(
        "class_dim is %(given)d, but the labels of “%(path)s” make %(found)d classes. Leave class_dim out, or give %(found)d."
    ),
    "data.held_out": N_(
        "“%(path)s” has %(count)d pictures, and %(held_out)d are to be held out for testing. Hold out fewer."
    ),
    # training
    "train.diverged": N_(
        "The loss is no number any more at iteration %(iteration)d. Take a learning rate below %(rate)s."
    ),
    "train.complete": N_(
        "The training in “%(path)s” has %(done)d iterations already, and %(wanted)d are wanted. Ask for more, or use its weights."
    ),
    "data.no_lists": N_(
        "There is no list file “%(path)s”. Write lists with “python -m reid lists --pictures FOLDER --out %(folder)s”, or name yours with --train_list and --test_list."
    ),
    "train.embedding_size": N_(
        "The embedding in “%(path)s” has %(found)d values, and --embedding_size %(wanted)d was asked for. Leave it out, or give %(found)d."
    ),
    "train.new_embedding": N_(
        "The embedding in “%(path)s” has %(found)d values; the layer for the %(wanted)d that are wanted starts anew."
    ),
    "train.no_gpu": N_("%(runtime)s can use no GPU here; the CPU does the work, which takes long."),
    "train.tensorboard_missing": N_(
        "TensorBoard is not installed. Install it with “pip install tensorboard”, or do without: losses and evaluations are written as CSV and drawn as curves anyway."
    ),
    # judging embeddings
    "data.no_match": N_(
        "None of the %(queries)d query pictures has a picture of the same identity to be found. Check that query and gallery share identities and that cameras differ."
    ),
    "data.too_few_images": N_(
        "There are %(count)d pictures of %(what)s; at least %(least)d are needed for this measure. Add more."
    ),
    "data.too_few_pairs": N_(
        "There are %(same)d pairs of the same identity and %(different)d of different ones; at least %(least)d of each are needed. Label or confirm more."
    ),
    "data.false_match_rate": N_(
        "A false match rate of %(wanted)g cannot be measured with %(different)d pairs of different identities; the lowest is %(lowest)g. Ask for a higher rate, or label more pairs."
    ),
    # weights of others
    "pull.offline": N_(
        "%(host)s cannot be reached (%(detail)s). Check the connection, or download %(url)s elsewhere, put it at “%(path)s” and run the command again."
    ),
    "pull.interrupted": N_(
        "The download from %(host)s broke off after %(have)d bytes (%(detail)s). Run the command again; it goes on from there."
    ),
    "pull.refused": N_("“%(url)s” cannot be downloaded: %(status)d %(reason)s. The publisher may have moved it."),
    "pull.wrong_hash": N_(
        "“%(path)s” is not the file that is wanted: its SHA-256 is %(found)s instead of %(wanted)s. It was not kept. Try again, or report it."
    ),
    "pull.changed_file": N_(
        "“%(path)s” is not the file that is wanted: its SHA-256 is %(found)s instead of %(wanted)s. Remove it and pull it again."
    ),
    "pull.wrong_size": N_(
        "“%(path)s” is not the file that is wanted: it has %(size)d bytes instead of %(wanted)d. It was not kept. Try again, or report it."
    ),
    "pull.too_large": N_("“%(url)s” is larger than %(limit)d bytes, which is the limit for weights. It was not kept."),
    "pull.no_space": N_(
        "The disk of “%(path)s” has %(free)d bytes free, and %(missing)d more are needed. Free some space and run the command again."
    ),
    "pull.folder_taken": N_(
        "“%(path)s” already holds %(names)s. Remove it, or say --replace, which keeps it beside the folder."
    ),
    "pull.not_usable": N_(
        "%(name)s is a checkpoint that no worker reads as it is. It lies at “%(path)s”; train an embedder from it, and put its export into %(folder)s."
    ),
    # a running site that is asked from a terminal
    "site.unreachable": N_("No site answers at %(address)s (%(detail)s). Check the address, and that the site runs."),
    "site.refused": N_("The site at %(address)s did not answer the question: %(detail)s"),
    "site.nobody": N_(
        "The site at %(address)s found nobody in the pictures. Use larger or clearer ones that show the whole person."
    ),
    "site.slow": N_(
        "The site at %(address)s did not look at the pictures within %(limit_s)d seconds. Check that its worker runs, then try again."
    ),
    # jobs
    "job.attempts_exhausted": N_(
        "The work was interrupted %(attempts)d times, which is the limit. The worker probably ran out of memory or was stopped; see its log, then retry."
    ),
    "job.internal": N_(
        "Something went wrong inside the program (%(kind)s). The log of the worker says more under job %(job_id)s; retry, or report it."
    ),
    "job.time_limit": N_(
        "The work was ended after %(limit_s)d seconds, which is the limit. Cut the video into shorter files, or raise RESIGHT_JOB_TIME_LIMIT_S."
    ),
    "job.storage_full": N_("The disk is full. Free some space, then retry."),
    "job.out_of_memory": N_(
        "There was not enough memory for this video. Close other programs or scale the video down, then retry."
    ),
    "job.no_base": N_(
        "The result that this work builds on is not there, or not complete. Run everything again for this video."
    ),
    "job.unknown_kind": N_(
        "This worker does not know work of the kind “%(job_kind)s”. Start it again with the site's own version."
    ),
    # requests
    "request.invalid": N_("The request is not valid: %(detail)s."),
    "request.not_found": N_("There is no such page or object."),
    "request.method": N_("This address does not answer that kind of request."),
    "request.cross_site": N_("The request came from another site and was refused. Use the pages of this site."),
    "request.expired_form": N_("This form has expired. Reload the page and send it again."),
    "request.conflict": N_("That cannot be done while the job is %(state)s."),
    "request.busy": N_(
        "Another job of this video is waiting or running. Wait until it has finished, or cancel it, and then try again."
    ),
    "request.no_detections": N_(
        "The result of this video was made without keeping its detections, so it cannot be tracked again on its own. Run everything again instead."
    ),
    "request.annotated_there": N_("The annotated video is there already. Download it."),
    "request.no_annotated": N_(
        "The annotated video of this result has not been made yet. Make it on the page of the video."
    ),
    "request.no_result": N_("This video has no result yet. Wait for its job to finish."),
    "request.internal": N_("Something went wrong inside the program. The log says more; try again, or report it."),
    "request.missing": N_("“%(name)s” is missing. Fill it in and send it again."),
    "request.field": N_("The value of “%(name)s” cannot be used: %(detail)s. Correct it and send it again."),
    "request.one_file": N_("%(count)d files came with the form. Choose one video file and send it again."),
    "request.time": N_("“%(value)s” is not a date and time. Write it like 2026-11-21T08:00."),
    "request.time_zone": N_("“%(value)s” is not a time zone. Use a name such as Asia/Shanghai or Europe/Berlin."),
    "request.header": N_("The header %(name)s has the value “%(value)s”, which cannot be used."),
    "request.media_type": N_("The body of this request must be of the type %(wanted)s."),
    "request.range": N_("The file has no such range of bytes."),
    "request.too_large": N_("The request is larger than %(limit_bytes)d bytes, which is the limit for it."),
    "request.untrusted_host": N_(
        "This site does not answer to the name “%(host)s”. Open it under localhost, or add the name to RESIGHT_TRUSTED_HOSTS."
    ),
    "request.database": N_("The database did not answer. Try again in a moment."),
    # identities
    "identity.kinds": N_("A person and a vehicle cannot be one and the same. Choose tracks or identities of one kind."),
    "identity.together": N_(
        "Two of these tracks were seen by the same camera at the same time, so they cannot be one and the same. If a tracker followed somebody twice, join them nevertheless."
    ),
    "identity.choose_two": N_("Choose at least two identities for that."),
    "identity.choose": N_("Nothing was chosen. Choose with the mouse, or with the arrow keys and Space."),
    "identity.no_clips": N_(
        "None of the videos of this identity has a playback copy, so no film can be made. Run their jobs first."
    ),
    "identity.nothing_to_judge": N_(
        "No confirmed identity was seen by two cameras and described by “%(model)s”. Confirm tracks of two cameras as one, then try again."
    ),
    "identity.no_film": N_("The film of this identity has not been made yet. Make it on its page."),
    "identity.taken": N_(
        "One of these tracks was confirmed for identity %(other)d. Merge the two identities, or move the track."
    ),
    "identity.not_its": N_(
        "One of these tracks does not belong to identity %(identity)d. Reload the page and choose again."
    ),
    "identity.undone": N_("Event %(event)d has been undone already."),
    "identity.in_force": N_("Event %(event)d is not undone, so it cannot be done again."),
    "identity.changed_since": N_(
        "Event %(event)d cannot be undone now, because event %(later)d changed the same afterwards. Undo event %(later)d first."
    ),
    "identity.changed_otherwise": N_(
        "Event %(event)d cannot be undone any more, because what it changed has been changed or removed since."
    ),
    # searching
    "search.nothing": N_("Nobody was named to search for. Choose a track or a picture first."),
    "search.no_model": N_(
        "No track has been described yet, so there is nothing to search. Add a video and wait for its job to finish."
    ),
    "search.not_described": N_(
        "This track has not been described by the model that searching uses (%(model)s). Describe its video on the page of models, then search again."
    ),
    "search.busy": N_("%(waiting)d other searches by picture are waiting, which is the limit. Try again in a minute."),
    "search.query_gone": N_("These pictures are not here any more; they are deleted after a while. Choose them again."),
    "search.query_not_ready": N_("These pictures are still being looked at. Wait a moment and try again."),
    "search.other_model": N_(
        "These pictures were described by another model (%(model)s) than the one searching uses now. Choose them again."
    ),
    "search.attempts_exhausted": N_(
        "Looking at the pictures was interrupted again and again. The worker probably ran out of memory; see its log, then choose smaller pictures."
    ),
    "search.nobody_found": N_(
        "Nobody and no vehicle was found in the pictures. Choose a picture that shows the person whole and not too small."
    ),
    "search.kinds_differ": N_("People and vehicles cannot be looked for at once. Choose pictures of one kind."),
    "picture.count": N_("%(count)d pictures came; 1 to %(limit)d can be searched by at once."),
    "picture.unreadable": N_("“%(name)s” is not a picture that can be read. Use a JPEG, PNG, WebP or BMP file."),
    "picture.too_large": N_(
        "“%(name)s” has %(size)d bytes; the limit is %(limit)d. Choose a smaller picture, or raise RESIGHT_MAX_PICTURE_BYTES."
    ),
    "picture.too_many_pixels": N_(
        "“%(name)s” has %(width)d×%(height)d pixels; the limit is %(limit)d in all. Scale it down, or raise RESIGHT_MAX_PICTURE_PIXELS."
    ),
    "camera.name_taken": N_("Another camera is called “%(name)s”. Choose another name."),
    "camera.link_times": N_(
        "“%(least_s)g to %(most_s)g seconds” is no span of time. Give two numbers from 0 up, the smaller one first."
    ),
    "job.other_weights": N_(
        "The weights that are installed now make another model (%(found)s) than the one that was asked for (%(wanted)s). Put the old ones back, or make the new model the active one."
    ),
    "job.no_crops": N_("The pictures of this video's tracks are gone. Run everything again for this video."),
    "upload.version": N_("Resumable uploads need the header “Tus-Resumable: %(version)s”."),
    "upload.busy": N_("Another request is still sending to this upload. Wait a moment, ask for the offset and go on."),
    "upload.too_long": N_("More bytes came than the %(length)d that were announced. Start the upload again."),
    "upload.not_found": N_("This upload does not exist or has expired. Start it again."),
    "upload.offset": N_(
        "The upload continues at byte %(expected)d, not %(got)d. Ask for the offset and send from there."
    ),
    "upload.incomplete": N_("%(received)d of %(length)d bytes have arrived. Send the rest first."),
    "upload.no_space": N_(
        "The disk has %(free_bytes)d bytes free, and the file needs %(length)d. Free some space first."
    ),
}


def render(code: str, params: Mapping[str, Any], translate: Callable[[str], str] = lambda text: text) -> str:
    """Return the sentence of ``code`` with ``params`` filled in.

    Parameters
    ----------
    translate : maps the English template to another language; identity by default.

    Raises
    ------
    KeyError
        for a code that is not in `MESSAGES`, or a missing parameter.
    """
    return translate(MESSAGES[code]) % dict(params)
